import { expect, test } from "vitest";
import { type Condition, conditionsOf, no, say, yes } from "./verdict.ts";

const before: Condition[] = [
  {
    ...yes("Accepted", "Accepted", "fine"),
    observedGeneration: 1,
    lastTransitionTime: "2026-01-01T00:00:00Z",
  },
  { ...yes("Other", "Theirs", ""), observedGeneration: 1, lastTransitionTime: "2026-01-01T00:00:00Z" },
];
const now = "2026-02-02T00:00:00Z";

test("a condition that stays what it is keeps its time, whatever is said of it", () => {
  const verdicts = [yes("Accepted", "Accepted", "still fine")];
  const conditions = conditionsOf(verdicts, 2, before, now);
  expect(conditions).toEqual([
    { ...verdicts[0], observedGeneration: 2, lastTransitionTime: "2026-01-01T00:00:00Z" },
    before[1],
  ]);
  expect(say(conditions, verdicts, 2)).toBe(true);
  expect(say(conditions, verdicts, 3)).toBe(false);
});

test("one that changes gets a new time", () => {
  const [accepted] = conditionsOf([no("Accepted", "NoMatchingParent", "gone")], 1, before, now);
  expect(accepted).toMatchObject({ status: "False", lastTransitionTime: now });
});

test("a message is cut at Kubernetes' bound", () => {
  expect(no("Accepted", "Invalid", "x".repeat(2_000)).message).toHaveLength(1024);
});
