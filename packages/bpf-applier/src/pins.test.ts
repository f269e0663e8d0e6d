import { expect, test } from "vitest";
import { PinFolder } from "./pins.ts";

test.each(["../etc", "a/b", "", "A", "-x", "x."])(
  "node name %j is refused before it becomes a path",
  async (node) => {
    await expect(PinFolder.find(node)).rejects.toThrow(`node name "${node}"`);
  },
);
