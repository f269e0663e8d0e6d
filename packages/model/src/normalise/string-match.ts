import { create } from "@bufbuild/protobuf";
import {
  type HeaderMatch,
  HeaderMatchSchema,
  type QueryParameterMatch,
  QueryParameterMatchSchema,
  type StringMatch,
  StringMatchSchema,
} from "@keelson/protos/match";

/** How every API writes it: one of the three is there, or none. */
export interface WrittenMatch {
  readonly exact?: string | undefined;
  readonly prefix?: string | undefined;
  readonly regex?: string | undefined;
}

/** @returns undefined if it only asks that there be something */
export function stringMatch({ exact, prefix, regex }: WrittenMatch): StringMatch | undefined {
  if (exact !== undefined) return create(StringMatchSchema, { how: { case: "exact", value: exact } });
  if (prefix !== undefined) return create(StringMatchSchema, { how: { case: "prefix", value: prefix } });
  // "*" is no regular expression, but Istio takes it for "is there".
  if (regex === undefined || regex === "*") return undefined;
  return create(StringMatchSchema, { how: { case: "regex", value: regex } });
}

/** Of the fields that are there, their matches. */
export function definedMatches<Field extends string>(
  fields: Readonly<Record<Field, WrittenMatch | undefined>>,
): Partial<Record<Field, StringMatch>> {
  const made: Partial<Record<Field, StringMatch>> = {};
  for (const field in fields) {
    const written = fields[field];
    const match = written && stringMatch(written);
    if (match !== undefined) made[field] = match;
  }
  return made;
}

/** Names of headers are compared in lower case. */
export function headerMatch(name: string, written: WrittenMatch): HeaderMatch {
  return create(HeaderMatchSchema, { name: name.toLowerCase(), ...valueOf(written) });
}

export function queryMatch(name: string, written: WrittenMatch): QueryParameterMatch {
  return create(QueryParameterMatchSchema, { name, ...valueOf(written) });
}

function valueOf(written: WrittenMatch): { value?: StringMatch } {
  const value = stringMatch(written);
  return value === undefined ? {} : { value };
}

/** The entries of a record in the order of their keys. */
export const sortedEntries = <Value>(record: Readonly<Record<string, Value>> = {}): [string, Value][] =>
  Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1));
