import { expect, test } from "vitest";
import { parseFlags, unknownFlagText } from "./parse-flags.ts";
import { honoured, own } from "./setting.ts";

const table = {
  name: honoured("string", "", own, "", { short: "n" }),
  number: honoured("int", "0", own, "", { short: "v" }),
  on: honoured("bool", "false", own, "", { short: "o" }),
  also: honoured("bool", "false", own, "", { short: "a" }),
  list: honoured("list", "first", own, ""),
  map: honoured("map", "", own, ""),
};

const parse = (...args: string[]): object => {
  const { values, positionals, unknown, errors, help } = parseFlags(args, table);
  return {
    ...Object.fromEntries(values),
    ...(positionals.length > 0
      ? { positionals: positionals.map(({ index, text }) => `${index} ${text}`) }
      : {}),
    ...(unknown.length > 0 ? { unknown } : {}),
    ...(errors.length > 0 ? { errors } : {}),
    ...(help ? { help } : {}),
  };
};

test.each<[string, object]>([
  ["--name x", { name: "x" }],
  ["--name=x=y", { name: "x=y" }],
  ["--name=", { name: "" }],
  ["--name --on", { name: "--on" }],
  ["-n x", { name: "x" }],
  ["-nx", { name: "x" }],
  ["-n=x", { name: "x" }],
  ["-v 2", { number: 2 }],
  ["-v2 --name x", { number: 2, name: "x" }],
  ["--on", { on: true }],
  ["--on=false", { on: false }],
  ["--on false", { on: true, positionals: ["1 false"] }],
  ["-o", { on: true }],
  ["-o=false", { on: false }],
  ["-oav3", { on: true, also: true, number: 3 }],
  ["--name x --name y", { name: "y" }],
  ["--list a,b --list c", { list: ["a", "b", "c"] }],
  ["--map a=1 --map b=2,a=3", { map: { a: "3", b: "2" } }],
  ["a --name x b", { name: "x", positionals: ["0 a", "3 b"] }],
  ["-- --name x -", { positionals: ["1 --name", "2 x", "3 -"] }],
  ["- --help", { positionals: ["0 -"], help: true }],
  ["-h", { help: true }],
  ["-oh", { on: true, help: true }],
])("%s", (line, expected) => {
  expect(parse(...line.split(" "))).toEqual(expected);
});

test.each<[string, object]>([
  ["--new --on", { unknown: ["--new"], on: true }],
  ["--new=1 x", { unknown: ["--new"], positionals: ["1 x"] }],
  ["--new 1 x", { unknown: ["--new"], positionals: ["2 x"] }],
  ["--new 1 --new=2", { unknown: ["--new"] }],
  ["-z 1 --on", { unknown: ["-z"], on: true }],
  ["-z=1 x", { unknown: ["-z"], positionals: ["1 x"] }],
  ["-oz1 x", { on: true, unknown: ["-z"], positionals: ["1 x"] }],
  ["--toString", { unknown: ["--toString"] }],
  ["--constructor=x --__proto__ y", { unknown: ["--constructor", "--__proto__"] }],
])("unknown flags: %s", (line, expected) => {
  expect(parse(...line.split(" "))).toEqual(expected);
});

test.each<[string, string]>([
  ["--number x", '--number: "x" is no whole number from'],
  ["-vx", '-v: "x" is no whole number from'],
  ["--on=maybe", '--on: "maybe" is neither true nor false'],
  ["--name", "--name: a value is missing"],
  ["-n", "-n: a value is missing"],
  ["--=x", "--=x: a flag is written --name=value"],
  ["---on", "---on: a flag is written --name=value"],
])("mistakes: %s", (line, error) => {
  expect(parse(...line.split(" "))).toEqual({ errors: [expect.stringContaining(error)] });
});

test("a flag that is nearly known is suggested", () => {
  expect(unknownFlagText("--nam", table)).toBe("--nam: unknown flag; did you mean --name?");
  expect(unknownFlagText("--something", table)).toBe("--something: unknown flag");
  expect(unknownFlagText("-z", table)).toBe("-z: unknown flag");
});
