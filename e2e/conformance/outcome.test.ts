import { expect, test } from "vitest";
import { NotPossible } from "./case.ts";
import { istiodDifferences, parseDifferences, readDifferences } from "./differences.ts";
import { outcomeOf } from "./outcome.ts";
import { Nonconformity } from "./peer/nonconformity.ts";
import { jsonReport, summary, textReport } from "./report.ts";

const result = (error?: Error) => ({
  name: "ack-is-not-answered",
  variant: "sotw" as const,
  error,
  transcript: ["sent CDS"],
  ms: 1,
});
const nonconformity = new Nonconformity("nothing", "a response");
const differences = new Map([["ack-is-not-answered sotw", "it answers"]]);
const none = new Map<string, string>();

test("a case passes, fails with what was said, or cannot be run", () => {
  expect(outcomeOf(result(), none)).toMatchObject({ state: "passed", reason: "" });
  expect(outcomeOf(result(nonconformity), none)).toMatchObject({
    state: "failed",
    reason: "expected nothing; found a response",
    transcript: ["sent CDS"],
  });
  expect(outcomeOf(result(new NotPossible("too little")), none)).toMatchObject({ state: "skipped" });
});

test("a difference that is listed is none of the failures; one that does not show, or a case that breaks, is", () => {
  expect(outcomeOf(result(nonconformity), differences)).toMatchObject({
    state: "differs",
    reason: "it answers",
  });
  expect(outcomeOf(result(), differences)).toMatchObject({
    state: "failed",
    reason: "it is listed as a difference (it answers), and yet it passed: take it off the list",
  });
  expect(outcomeOf(result(new TypeError("broken")), differences)).toMatchObject({ state: "failed" });
});

test("reports end with the summary and show what failed", () => {
  const outcomes = [
    outcomeOf(result(), none),
    outcomeOf(result(nonconformity), none),
    outcomeOf(result(nonconformity), differences),
    outcomeOf(result(new NotPossible("too little")), none),
  ];
  expect(summary(outcomes)).toBe("1 passed, 1 failed, 2 skipped (1 listed differences)");
  const text = textReport(outcomes);
  expect(text.trimEnd().split("\n").at(-1)).toBe(summary(outcomes));
  expect(text).toContain("ack-is-not-answered, sotw: expected nothing; found a response\n  sent CDS");
  expect(JSON.parse(jsonReport(outcomes, "h:1"))).toMatchObject({
    server: "h:1",
    summary: summary(outcomes),
  });
});

test("lists of differences are read by line, and must name cases", async () => {
  const found = parseDifferences("# why\n\nack-is-not-answered: x\nnack-is-not-answered delta: y\n", "f");
  expect([...found]).toEqual([
    ["ack-is-not-answered sotw", "x"],
    ["ack-is-not-answered delta", "x"],
    ["nack-is-not-answered delta", "y"],
  ]);
  for (const line of ["nothing: x", "ack-is-not-answered", "stale-nonce-is-ignored delta: x"])
    expect(() => parseDifferences(`#\n${line}`, "f")).toThrow(`f:2: "${line}" is no`);
  expect((await readDifferences(istiodDifferences)).size).toBeGreaterThan(0);
});
