import { expect, test } from "vitest";
import { honoured, own } from "./setting.ts";
import { flagValues, readEnvironment } from "./values.ts";

const variables = {
  NAME: honoured("string", "default", own, ""),
  LIMIT: honoured("int", "5", own, ""),
};
const flags = {
  name: honoured("string", "fallback", own, "", { defaultFrom: "NAME" }),
  list: honoured("list", "a,b", own, ""),
};

test("a variable that is set counts, unless it is set to nothing", () => {
  const { values, given, problems } = readEnvironment(variables, { NAME: "x", LIMIT: "", OTHER: "y" });
  expect(values).toEqual({ NAME: "x", LIMIT: 5 });
  expect([...given]).toEqual(["NAME"]);
  expect(problems).toEqual([]);
});

test("a variable that is wrong is told, and its default holds", () => {
  const { values, problems } = readEnvironment(variables, { LIMIT: "many" });
  expect(values.LIMIT).toBe(5);
  expect(problems).toEqual([expect.stringMatching(/^LIMIT: "many" is no whole number from .*; 5 is used$/)]);
});

test("a flag is what was given, else what its variable says, else its default", () => {
  const { values } = readEnvironment(variables, { NAME: "from-variable" });
  expect(flagValues(flags, new Map([["name", "given"]]), values)).toEqual({
    name: "given",
    list: ["a", "b"],
  });
  expect(flagValues(flags, new Map(), values)).toEqual({ name: "from-variable", list: ["a", "b"] });
});
