import { expect, test } from "vitest";
import { onlyTheImage } from "./changed-lines.ts";

const manifest = (image: string, port: number): string => `port: ${port}\n  image: ${image}\n  "image": "x"`;

test("the diff of a swap names both images; anything else, and nothing at all, is an error", () => {
  expect(onlyTheImage(manifest("a:1", 80), manifest("b:2", 80))).toBe("-image: a:1 +image: b:2");
  expect(() => onlyTheImage(manifest("a", 80), manifest("b", 81))).toThrow("-port: 80 +port: 81");
  expect(() => onlyTheImage(manifest("a", 80), manifest("a", 80))).toThrow("not the image alone");
  expect(() => onlyTheImage(manifest("a", 80), `${manifest("b", 80)}\nmore`)).toThrow("3 lines became 4");
});
