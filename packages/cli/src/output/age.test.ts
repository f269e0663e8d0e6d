import { expect, test } from "vitest";
import { age } from "./age.ts";

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;
const year = 365 * day;

// What k8s.io/apimachinery's duration.HumanDuration prints, on both sides of each bound.
test.each([
  [0, "0s"],
  [999, "0s"],
  [5 * second, "5s"],
  [119 * second, "119s"],
  [2 * minute, "2m"],
  [3 * minute + 20 * second, "3m20s"],
  [10 * minute - second, "9m59s"],
  [10 * minute + 20 * second, "10m"],
  [179 * minute, "179m"],
  [3 * hour, "3h"],
  [7 * hour + 59 * minute, "7h59m"],
  [8 * hour + minute, "8h"],
  [47 * hour, "47h"],
  [2 * day, "2d"],
  [2 * day + hour, "2d1h"],
  [8 * day + hour, "8d"],
  [2 * year - day, "729d"],
  [2 * year + 3 * day, "2y3d"],
  [9 * year + day, "9y"],
])("%i ms are %s", (milliseconds, text) => {
  const now = new Date("2026-01-02T03:04:05.000Z");
  expect(age(new Date(now.getTime() - milliseconds).toISOString(), now)).toBe(text);
});

test("what a wrong clock puts into the future has no age yet", () => {
  expect(age("2026-01-01T00:00:09Z", new Date("2026-01-01T00:00:00Z"))).toBe("0s");
});
