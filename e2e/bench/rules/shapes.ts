import type { MessageInitShape } from "@bufbuild/protobuf";
import type { HttpMatchSchema } from "@keelson/protos/match";

/** How the conditions of many rules look, in each language that says them, and the requests that they hold for. */
export interface Shape {
  readonly name: string;
  /** Of a VirtualService's route. */
  match(rule: number): unknown;
  /** Of an Envoy's route. */
  envoyMatch(rule: number): object;
  /** As the compiler has it. */
  compiledMatch(rule: number): MessageInitShape<typeof HttpMatchSchema>;
  /** The head of a request for 128 bytes that a rule holds for, or none (undefined). */
  request(rule: number | undefined): string;
}

const head = (path: string, field = ""): string =>
  `GET ${path} HTTP/1.1\r\nhost: echo\r\nuser-agent: http-load\r\naccept: */*\r\n${field}\r\n`;

const path = (rule: number | string): string => `/128/rule-${rule}`;

const paths: Shape = {
  name: "distinct paths",
  match: (rule) => ({ uri: { exact: path(rule) } }),
  envoyMatch: (rule) => ({ path: path(rule) }),
  compiledMatch: (rule) => ({ uri: { how: { case: "exact", value: path(rule) } } }),
  request: (rule = -1) => head(path(rule)),
};

const value = (rule: number): string => `value-${rule}`;

const headers: Shape = {
  name: "header values",
  match: (rule) => ({ headers: { "x-rule": { exact: value(rule) } } }),
  envoyMatch: (rule) => ({
    prefix: "/",
    headers: [{ name: "x-rule", string_match: { exact: value(rule) } }],
  }),
  compiledMatch: (rule) => ({
    headers: [{ name: "x-rule", value: { how: { case: "exact", value: value(rule) } } }],
  }),
  request: (rule = -1) => head("/128", `x-rule: ${value(rule)}\r\n`),
};

const regex = (rule: number): string => `/128/group-${rule}/[0-9]+`;

const regexes: Shape = {
  name: "regular expressions",
  match: (rule) => ({ uri: { regex: regex(rule) } }),
  envoyMatch: (rule) => ({ safe_regex: { regex: regex(rule) } }),
  compiledMatch: (rule) => ({ uri: { how: { case: "regex", value: regex(rule) } } }),
  request: (rule = -1) => head(`/128/group-${rule}/42`),
};

export const shapes: readonly Shape[] = [paths, headers, regexes];
