import { pino } from "pino";
import { beforeEach, expect, test } from "vitest";
import { RejectionLog } from "./rejection-log.ts";

let lines: Record<string, unknown>[];
let log: RejectionLog;
beforeEach(() => {
  lines = [];
  const write = (line: string): void => {
    lines.push(JSON.parse(line) as Record<string, unknown>);
  };
  log = new RejectionLog(pino({ level: "info", base: null, timestamp: false }, { write }));
});

const update = { type: "type.test/Thing", version: "1" };

test("what comes back as it was is told once, something else at once", () => {
  log.rejected(update, "a is bad", { rejected: 1, taken: 2 });
  log.rejected({ ...update, version: "2" }, "a is bad", { rejected: 1, taken: 0 });
  log.rejected(update, "no memory");
  expect(lines).toEqual([
    { level: 50, ...update, reason: "a is bad", rejected: 1, taken: 2, msg: "update rejected in part" },
    { level: 50, ...update, reason: "no memory", msg: "update rejected" },
  ]);
});

test("its end is told once, and what is rejected then is new", () => {
  log.over(update.type);
  log.rejected(update, "no memory");
  log.over(update.type);
  log.over(update.type);
  log.rejected(update, "no memory");
  expect(lines.map(({ msg }) => msg)).toEqual([
    "update rejected",
    "what was rejected is taken or gone",
    "update rejected",
  ]);
});
