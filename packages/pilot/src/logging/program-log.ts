import { openSync } from "node:fs";
import { type DestinationStream, type Logger, pino } from "pino";
import type { LogLevels, LogScope } from "./log-levels.ts";
import { textLine } from "./text-line.ts";

export interface LogSettings {
  readonly levels: LogLevels;
  /** An object of JSON a line, with istiod's names of fields; else text. */
  readonly json: boolean;
  /** "stdout", "stderr", or paths of files that lines are appended to. */
  readonly targets: readonly string[];
}

/** The program's log, by scope. */
export type ProgramLog = (scope: LogScope) => Logger;

/** @throws Error naming a file that cannot be written */
export function programLog({ levels, json, targets }: LogSettings): ProgramLog {
  const lines = everyTarget(targets.map(openTarget));
  const root = pino(
    {
      base: null,
      level: levels.default,
      formatters: { level: (level) => ({ level }) },
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
    },
    json ? lines : { write: (line) => lines.write(textLine(line)) },
  );
  return (scope) => (scope === "default" ? root : root.child({ scope }, { level: levels[scope] }));
}

const everyTarget = (targets: readonly DestinationStream[]): DestinationStream => ({
  write: (line) => {
    for (const target of targets) target.write(line);
  },
});

/** Written at once: the last lines before the program ends are the ones that matter. */
function openTarget(target: string): DestinationStream {
  return pino.destination({ dest: descriptorOf(target), sync: true });
}

function descriptorOf(target: string): number {
  if (target === "stdout") return 1;
  if (target === "stderr") return 2;
  try {
    return openSync(target, "a");
  } catch (error) {
    throw new Error(`--log_target: cannot write to ${target}: ${(error as Error).message}`, { cause: error });
  }
}
