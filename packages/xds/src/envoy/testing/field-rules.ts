import type { DescField } from "@bufbuild/protobuf";
import type { Duration } from "@bufbuild/protobuf/wkt";
import type { FieldRules } from "@envoyproxy/xds-protos/validate/validate_pb.js";

/** Limits of a rule as numbers. A limit that is not written is only on the prototype (proto2 defaults). */
function limits(rule: object, toNumber: (value: unknown) => number): [string, (value: number) => boolean][] {
  const limit = (name: string): number | undefined =>
    Object.hasOwn(rule, name) ? toNumber((rule as Record<string, unknown>)[name]) : undefined;
  const [gt, gte, lt, lte] = ["gt", "gte", "lt", "lte"].map(limit);
  return [
    [`more than ${gt}`, (value) => gt === undefined || value > gt],
    [`at least ${gte}`, (value) => gte === undefined || value >= gte],
    [`less than ${lt}`, (value) => lt === undefined || value < lt],
    [`at most ${lte}`, (value) => lte === undefined || value <= lte],
  ];
}

const nanosOf = (value: unknown): number => {
  const { seconds, nanos } = value as Duration;
  return Number(seconds) * 1e9 + nanos;
};

function outOfRange(rule: object, toNumber: (value: unknown) => number, value: unknown): string[] {
  const number = toNumber(value);
  return limits(rule, toNumber)
    .filter(([, holds]) => !holds(number))
    .map(([wanted]) => `is ${number}, must be ${wanted}`);
}

const tooShort = (what: string, least: bigint, length: number): string[] =>
  length < Number(least) ? [`has ${length} ${what}, must have at least ${least}`] : [];

/** What is wrong with the value of a field. @param isSet whether the message has the field at all. */
export function brokenRules(field: DescField, rules: FieldRules, isSet: boolean, value: unknown): string[] {
  const { type } = rules;
  // What a oneof did not choose, and absent wrappers, have no value that could be wrong.
  if (!isSet && field.oneof !== undefined) return [];
  if (!isSet && field.fieldKind === "message") return rules.message?.required === true ? ["must be set"] : [];
  switch (type.case) {
    case "string": {
      const text = value as string;
      if (type.value.ignoreEmpty && text === "") return [];
      return tooShort("characters", type.value.minLen || type.value.minBytes, text.length);
    }
    case "repeated":
      return tooShort("items", type.value.minItems, (value as unknown[]).length);
    case "enum":
      return type.value.notIn.includes(value as number) ? [`must not be ${value as number}`] : [];
    case "duration":
      return outOfRange(type.value, nanosOf, value);
    case "uint32":
    case "uint64":
    case "int32":
    case "double":
      return outOfRange(type.value, Number, value);
    default:
      return [];
  }
}
