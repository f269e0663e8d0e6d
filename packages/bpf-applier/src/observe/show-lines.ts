import type { Readable } from "node:stream";
import { fromJson, type JsonValue } from "@bufbuild/protobuf";
import type { ObservationLine } from "@keelson/model/observation";
import { ObservedRequestSchema } from "@keelson/protos/telemetry";
import type { ObserveFlags } from "./options.ts";
import { RequestTable } from "./request-text.ts";

/** Where it is written. */
export interface ObservationOutput {
  /** Requests; of JSON everything. */
  readonly write: (text: string) => void;
  /** What else there is to say. */
  readonly warn: (text: string) => void;
}

/**
 * Shows what a control plane or an agent answers to those who observe, until enough was shown, the time is over, the process is
 * interrupted, or nobody tells any more.
 * @param lines `ObservationLine`s
 * @param withNode names the node of each
 * @returns whether it ended as it was asked to, and not since nobody tells any more
 */
export async function showLines(
  lines: Readable,
  flags: Pick<ObserveFlags, "output" | "follow" | "for" | "limit">,
  { write, warn }: ObservationOutput,
  withNode: boolean,
): Promise<boolean> {
  const isJson = flags.output === "json";
  const table = new RequestTable({ isWide: flags.output === "wide", withNode });
  let left = flags.limit ?? Number.POSITIVE_INFINITY;
  let isOver = false;
  const end = (): void => {
    isOver = true;
    lines.destroy();
  };
  const timer = flags.follow === true ? undefined : setTimeout(end, flags.for * 1000);
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, end);
  if (!isJson) write(`${table.heading()}\n`);
  try {
    for await (const text of linesOf(lines)) {
      if (text === "" || isOver) continue;
      const line = JSON.parse(text) as ObservationLine;
      if (isJson) write(`${text}\n`);
      else if ("lost" in line) warn(`${line.lost} records lost\n`);
      else if ("ended" in line) warn(`node ${line.node} tells no more: ${line.ended}\n`);
      else write(`${table.row(line.node, fromJson(ObservedRequestSchema, line.request as JsonValue))}\n`);
      if ("request" in line && --left === 0) end();
    }
    if (!isOver) warn("nobody tells any more\n");
  } catch (error) {
    if (!isOver) warn(`the connection was cut: ${(error as Error).message}\n`);
  } finally {
    clearTimeout(timer);
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.removeListener(signal, end);
  }
  return isOver;
}

async function* linesOf(stream: Readable): AsyncIterable<string> {
  let rest = "";
  for await (const piece of stream.setEncoding("utf8") as AsyncIterable<string>) {
    const lines = (rest + piece).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
}
