import { expect, test } from "vitest";
import { parseValue, type SettingType } from "./value-types.ts";

test.each<[SettingType, string, unknown]>([
  ["string", "", ""],
  ["bool", "T", true],
  ["bool", "0", false],
  ["int", "-5", -5],
  ["int", "0x1F", 31],
  ["int", "010", 8],
  ["int", "-0", 0],
  ["uint16", "65535", 65_535],
  ["float", "80", 80],
  ["float", ".5e1", 5],
  ["duration", "1m", 60_000],
  ["list", "", []],
  ["list", "Kubernetes,Consul", ["Kubernetes", "Consul"]],
  ["list", 'a,"b,""c""",', ["a", 'b,"c"', ""]],
  ["map", "", {}],
  ["map", "a=1,b=2", { a: "1", b: "2" }],
  ["map", "a=1,2", { a: "1,2" }],
  ["map", '"a=1,2",b=x=y', { a: "1,2", b: "x=y" }],
])("%s %j", (type, text, value) => {
  expect(parseValue(type, text)).toEqual(value);
});

test.each<[SettingType, string, string]>([
  ["bool", "yes", '"yes" is neither true nor false'],
  ["bool", "", '"" is neither true nor false'],
  ["int", "1.5", '"1.5" is no whole number from'],
  ["int", "", '"" is no whole number from'],
  ["uint16", "65536", '"65536" is no whole number from 0 to 65535'],
  ["uint16", "-1", '"-1" is no whole number from 0 to 65535'],
  ["float", "fast", '"fast" is no number'],
  ["duration", "10", '"10" is no duration; use numbers with units, such as 30s, 1h30m or 100ms'],
  ["list", 'a"b', '"a"b" has a quotation mark out of place'],
  ["map", "a=1,b=2,c", '"c" is no pair; use name=value,name=value'],
  ["map", "ab", '"ab" is no pair; use name=value,name=value'],
])("%s %j is refused", (type, text, why) => {
  expect(() => parseValue(type, text)).toThrow(why);
});
