import { readFileSync } from "node:fs";

/** A process of this machine, told apart from a later one that gets the same id. */
export interface ProcessEntry {
  readonly id: number;
  readonly name: string;
  /** One letter; "Z" is one that has ended, but its parent has not noticed. */
  readonly state: string;
  readonly parent: number;
  /** In ticks since boot. */
  readonly startTime: string;
}

/** @returns undefined if there is no such process. */
export function processEntry(id: number): ProcessEntry | undefined {
  try {
    return parseStat(readFileSync(`/proc/${id}/stat`, "utf8"));
  } catch {
    return undefined;
  }
}

/** Parses /proc/pid/stat (proc(5)); the name stands in parentheses and may hold any character. */
export function parseStat(text: string): ProcessEntry {
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return {
    id: Number.parseInt(text, 10),
    name: text.slice(text.indexOf("(") + 1, text.lastIndexOf(")")),
    state: fields[0] ?? "",
    parent: Number(fields[1]),
    startTime: fields[19] ?? "",
  };
}

/** Whether it is the same process still, and runs. */
export function isAlive({ id, startTime }: Pick<ProcessEntry, "id" | "startTime">): boolean {
  const now = processEntry(id);
  return now?.startTime === startTime && now.state !== "Z";
}
