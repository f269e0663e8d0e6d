import { expect, test } from "vitest";
import { Rejections, reasonsText } from "./rejections.ts";

const update = (added: readonly string[], removed: readonly string[] = []) => ({
  typeUrl: "type.test/Thing",
  systemVersion: "1",
  added: added.map((name) => ({ name, version: "1", body: new Uint8Array() })),
  removed,
});
const none = new Map<string, string>();

test("what was rejected is told until something newer of it was taken or removed", () => {
  const rejections = new Rejections();
  rejections.took(
    update(["a", "b", "c"]),
    new Map([
      ["a", "a is bad"],
      ["b", "b is bad"],
    ]),
  );
  expect(rejections.text).toBe("a is bad; b is bad");
  rejections.took(update(["c", "a"]), none);
  expect(rejections.text).toBe("b is bad");
  rejections.took(update([], ["b"]), none);
  expect(rejections.text).toBeUndefined();
});

test("an update of which nothing was taken is told until one is taken", () => {
  const rejections = new Rejections();
  rejections.failed("no memory for the map");
  expect(rejections.text).toBe("no memory for the map");
  rejections.took(update(["a"]), none);
  expect(rejections.text).toBeUndefined();
});

test("long lists of reasons are cut", () => {
  expect(reasonsText(["1", "2", "3", "4", "5", "6", "7"])).toBe("1; 2; 3; 4; 5; and 2 more");
});
