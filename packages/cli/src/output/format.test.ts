import { expect, test } from "vitest";
import { parse } from "yaml";
import { render } from "./format.ts";
import { type Paint, plain } from "./paint.ts";

const value = { name: "a\u001b[31m", list: [{ x: 1 }, { x: 1 }] };
const toText = ({ name }: typeof value, paint: Paint): string => paint("red", name);

test("JSON and YAML carry the value, whatever is in it", () => {
  expect(JSON.parse(render(value, "json", plain, toText))).toEqual(value);
  expect(parse(render(value, "yaml", plain, toText))).toEqual(value);
});

test("neither lets a value's control characters reach a terminal", () => {
  for (const format of ["json", "yaml", "text"] as const) {
    expect(render(value, format, plain, toText)).not.toContain("\u001b");
  }
});

test("text is painted, and ends in one line end", () => {
  expect(render(value, "text", (style, text) => `<${style}>${text}</>`, toText)).toBe("<red>a\\x1b[31m</>\n");
});
