import { onEndSignal } from "../world/end-signals.ts";
import { isAlive, type ProcessEntry, processEntry } from "./process-entry.ts";

/** Why the demo is to end before it would by itself. */
export interface Interruption {
  readonly reason: string;
  readonly exitCode: number;
}

const lookEveryMs = 500;

/** Resolves when somebody wants the demo to end: by a signal, by closing its output, or by killing npm. */
export function interruption(): Promise<Interruption> {
  return new Promise((resolve) => {
    onEndSignal((signal, exitCode) => resolve({ reason: signal, exitCode }));
    for (const stream of [process.stdout, process.stderr]) {
      stream.on("error", () => resolve({ reason: "nobody reads the output", exitCode: 1 }));
    }
    const starters = npmAbove();
    if (starters.length === 0) return;
    setInterval(() => {
      if (!starters.every(isAlive)) resolve({ reason: "npm, which started it, is gone", exitCode: 1 });
    }, lookEveryMs).unref();
  });
}

/** The processes from this one's parent up to npm; none if npm is not among them. */
function npmAbove(): ProcessEntry[] {
  const found: ProcessEntry[] = [];
  for (let entry = processEntry(process.ppid); entry !== undefined; entry = processEntry(entry.parent)) {
    found.push(entry);
    if (entry.name.startsWith("npm")) return found;
  }
  return [];
}
