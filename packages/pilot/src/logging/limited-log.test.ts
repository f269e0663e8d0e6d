import { pino } from "pino";
import { beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { limitedLog } from "./limited-log.ts";

beforeEach(() => {
  vi.useFakeTimers();
  onTestFinished(() => {
    vi.useRealTimers();
  });
});

function written() {
  const lines: object[] = [];
  const write = (line: string): void => {
    const { msg, peer, more, seconds } = JSON.parse(line) as Record<string, unknown>;
    lines.push(more === undefined ? { msg, peer } : { msg, more, seconds });
  };
  return { lines, log: limitedLog(pino({}, { write }), { lines: 2, timeMs: 5_000 }) };
}

test("of one message so many lines, then how many more there were", () => {
  const { lines, log } = written();
  for (let peer = 1; peer <= 5; peer += 1) log.warn({ peer }, "refused");
  log.warn({ peer: 9 }, "something else");
  const first = [
    { msg: "refused", peer: 1 },
    { msg: "refused", peer: 2 },
    { msg: "something else", peer: 9 },
  ];
  expect(lines).toEqual(first);
  vi.advanceTimersByTime(5_000);
  expect(lines).toEqual([...first, { msg: "refused", more: 3, seconds: 5 }]);
});

test("when the time is over it begins anew, and a few are never summed up", () => {
  const { lines, log } = written();
  log.info({ peer: 1 }, "refused");
  vi.advanceTimersByTime(5_000);
  log.info({ peer: 2 }, "refused");
  vi.advanceTimersByTime(5_000);
  expect(lines).toEqual([
    { msg: "refused", peer: 1 },
    { msg: "refused", peer: 2 },
  ]);
});
