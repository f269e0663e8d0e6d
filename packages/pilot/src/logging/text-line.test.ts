import { expect, test } from "vitest";
import { textLine } from "./text-line.ts";

const line = (fields: object): string =>
  textLine(JSON.stringify({ level: "info", time: "2026-01-01T00:00:00.000Z", ...fields }));

test("time, level, message and fields", () => {
  expect(line({ msg: "new version", version: "7", services: 3, ok: true })).toBe(
    "2026-01-01T00:00:00.000Z\tinfo\tnew version\tversion=7\tservices=3\tok=true\n",
  );
});

test("the scope stands before the message", () => {
  expect(line({ scope: "ads", msg: "pushed" })).toBe("2026-01-01T00:00:00.000Z\tinfo\tads\tpushed\n");
});

test("what somebody else said cannot look like a line or a field", () => {
  expect(line({ msg: "a\nb\tc\u2028d", message: "x=1\ny", empty: "", node: "a b" })).toBe(
    '2026-01-01T00:00:00.000Z\tinfo\ta\\nb\\tc\\u2028d\tmessage="x=1\\ny"\tempty=""\tnode="a b"\n',
  );
});

test("an error is told with its stack", () => {
  const err = { type: "Error", message: "no room", stack: "Error: no room\n    at place" };
  expect(line({ msg: "cannot write", err })).toBe(
    '2026-01-01T00:00:00.000Z\tinfo\tcannot write\terror="no room"\n    Error: no room\n        at place\n',
  );
  expect(line({ msg: "no room", err: { message: "no room" } })).toBe(
    "2026-01-01T00:00:00.000Z\tinfo\tno room\n",
  );
});
