import { expect, test } from "vitest";
import { WorldNames } from "./names.ts";

test("no world's things begin like another world's", () => {
  const [short, long] = [new WorldNames("demo"), new WorldNames("demotest")];
  expect(short.owns(long.podNamespace("caller"))).toBe(false);
  expect(short.owns(short.podNamespace("caller"))).toBe(true);
  expect(short.owns(short.node(1))).toBe(true);
  expect(short.owns("keelson-demo")).toBe(false);
});

test.each(["", "a-b", "1st", "Demo", "a".repeat(25)])("a world is not named %j", (name) => {
  expect(() => new WorldNames(name)).toThrow(`found "${name}"`);
});

test.each(["node", "-a", "a.b", "A", "x".repeat(43)])("a pod is not named %j", (name) => {
  expect(() => new WorldNames("demo").podNamespace(name)).toThrow(`found "${name}"`);
});
