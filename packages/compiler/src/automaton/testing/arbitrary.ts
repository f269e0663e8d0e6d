import { create } from "@bufbuild/protobuf";
import { type HttpMatch, HttpMatchSchema } from "@keelson/protos/match";
import fc from "fast-check";
import type { PlainRequest } from "./naive.ts";

export type Init = Parameters<typeof create<typeof HttpMatchSchema>>[1];
export const matchOf = (init: Init): HttpMatch => create(HttpMatchSchema, init);
export const exact = (value: string) => ({ how: { case: "exact" as const, value } });
export const prefix = (value: string) => ({ how: { case: "prefix" as const, value } });
export const regex = (value: string) => ({ how: { case: "regex" as const, value } });

/** As bytes of a request: each character one. */
export const bytesOf = (text: string): Uint8Array => Buffer.from(text, "latin1");

/** Rules and requests over few words, so that they meet. */
const word = fc.constantFrom("a", "ab", "b", "A", "v1", "x-y");
const paths = fc.array(word, { maxLength: 3 }).map((words) => `/${words.join("/")}`);
/** Regular expressions that meet on texts of few letters. */
export const somePattern = fc.constantFrom(
  "/a.*",
  ".*b",
  "/(a|ab)/[a-z]+[0-9]?",
  "(?i)/A/?.*",
  String.raw`/\w+\b.*`,
  String.raw`.*\Bb.*`,
  "^/a$|^/b$",
  "[^b]*",
  "a*",
  "v[0-9]",
  "",
);
const textMatch = (value: fc.Arbitrary<string>) =>
  fc.oneof(value.map(exact), value.map(prefix), somePattern.map(regex));
const maybe = <T>(one: fc.Arbitrary<T>) => fc.option(one, { nil: undefined });
const headerMatch = fc.record({
  name: fc.constantFrom("x", "x-version", "cookie"),
  value: maybe(textMatch(word)),
  invert: fc.boolean(),
});
const httpMatch = fc
  .record({
    uri: maybe(textMatch(paths)),
    ignoreUriCase: fc.boolean(),
    wholeSegments: fc.boolean(),
    method: maybe(textMatch(fc.constantFrom("GET", "POST", "PUT"))),
    authority: maybe(textMatch(fc.constantFrom("a", "b:80"))),
    headers: fc.array(headerMatch, { maxLength: 3 }),
  })
  .map(({ uri, method, authority, ...rest }) =>
    matchOf({
      ...rest,
      ...(uri && { uri }),
      ...(method && { method }),
      ...(authority && { authority }),
    }),
  );
export const someRules = fc.array(fc.array(httpMatch, { maxLength: 2 }), { maxLength: 6 });
export const someRequest: fc.Arbitrary<PlainRequest> = fc
  .record({
    method: fc.constantFrom("GET", "HEAD", "POST", "PUT", "PATCH"),
    path: paths,
    host: fc.constantFrom("a", "b", "b:80"),
    headers: fc.uniqueArray(fc.tuple(fc.constantFrom("x", "X-Version", "cookie", "other"), word), {
      selector: ([name]) => name,
    }),
  })
  .map(({ host, headers, ...rest }) => ({ ...rest, headers: [["Host", host], ...headers] }));

/** The head of a request, as its client writes it. */
export function headOf({ method, path, headers }: PlainRequest): string {
  const lines = headers.map(([name, value]) => `${name}: ${value}`);
  return [`${method} ${path}?q HTTP/1.1`, ...lines, "", ""].join("\r\n");
}

const piece = fc.constantFrom(
  "GET ",
  "/a",
  "/a/b",
  "?",
  "//",
  " HTTP/1.1",
  "\r\n",
  "x: ",
  "aab",
  "Host: a",
  "cookie:",
  "Content-Length: 1",
  "\r",
  "\n",
  " ",
  "\xff",
  "\0",
  "\t",
  ":",
  "%",
  "Upgrade: a",
  "\r\n\r\n",
);

/** Bytes that are nearly heads: whole ones with a piece in between, and heaps of pieces. */
export const nearlyHeads: fc.Arbitrary<string> = fc.oneof(
  fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join("")),
  fc.tuple(someRequest, piece, fc.nat()).map(([one, more, at]) => {
    const text = headOf(one);
    const place = at % (text.length + 1);
    return text.slice(0, place) + more + text.slice(place);
  }),
  fc.tuple(someRequest, fc.nat()).map(([one, at]) => headOf(one).slice(0, at % 100)),
);
