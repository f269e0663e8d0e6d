import { isDeepStrictEqual } from "node:util";
import { create } from "@bufbuild/protobuf";
import { type MatchAutomaton, match, matchAutomaton } from "@keelson/compiler/automaton";
import { HttpMatchSchema } from "@keelson/protos/match";
import type { KernelMatcher } from "./kernel-matcher.ts";

type Match = Parameters<typeof create<typeof HttpMatchSchema>>[1];

const exact = (value: string) => ({ how: { case: "exact" as const, value } });
const prefix = (value: string) => ({ how: { case: "prefix" as const, value } });
const regex = (value: string) => ({ how: { case: "regex" as const, value } });

/** Rules of every kind of condition, in one service. */
const rules: readonly (readonly Match[])[] = [
  [{ uri: exact("/login"), method: exact("POST") }],
  [{ headers: [{ name: "end-user", value: exact("jason") }], uri: prefix("/api/") }],
  [{ headers: [{ name: "cookie", value: regex("^(.*?; ?)?(user=jason)(;.*)?$") }] }],
  [{ uri: regex("/v[0-9]+/items/[a-z]+(/.*)?"), authority: regex("[a-z.]+(:80)?") }],
  [{ uri: prefix("/static"), wholeSegments: true, ignoreUriCase: true }],
  [
    {
      headers: [
        { name: "x-canary", invert: true },
        { name: "x-version", value: exact("1"), invert: true },
      ],
    },
  ],
  [{ method: regex("P.*") }],
];

const lines = [
  "GET / HTTP/1.1",
  "POST /login HTTP/1.1",
  "GET /api/orders?page=2 HTTP/1.1",
  "HEAD /STATIC/logo HTTP/1.1",
  "GET /staticky HTTP/1.1",
  "PUT /v12/items/ab/c HTTP/1.1",
  "GET /v/items/ab HTTP/1.1",
  "GET /a/../b HTTP/1.1",
  "GET /%61 HTTP/1.1",
  "OPTIONS * HTTP/1.1",
  "GET / HTTP/1.0",
];

const headers: readonly (readonly string[])[] = [
  ["Host: reviews:80"],
  ["Host: reviews", "End-User: jason", "Content-Length: 17"],
  ["cookie: a=b; user=jason", "host: reviews.default", "X-Canary: yes"],
  ["x-canary:", "x-version: 1", "Host: reviews", "Connection: Keep-Alive"],
  ["Host: reviews", "Transfer-Encoding: chunked"],
  ["Host: reviews", "End-User: jason", "end-user: jason"],
  ["X-Canary: no host"],
];

const headOf = (line: string, some: readonly string[]): Buffer =>
  Buffer.from([line, ...some, "", ""].join("\r\n"), "latin1");

/** Heads as callers send them, right and wrong ones. */
export const wholeHeads: readonly Buffer[] = lines.flatMap((line) =>
  headers.map((some) => headOf(line, some)),
);

/** Long values, which a reader passes over many bytes at a time: whole, and with each byte in turn no text, or the line's end. */
function* longValues(): Generator<Uint8Array> {
  const agent = `User-Agent: Mozilla/5.0 (${"X11; Linux x86_64; ".repeat(4)})  `;
  const cookie = `Cookie: ${"session=0123456789; ".repeat(4)}user=jason`;
  const head = headOf("GET /api/x HTTP/1.1", ["Host: reviews", agent, cookie, "End-User: jason"]);
  yield head;
  for (const byte of [0x00, 0x09, 0x0d, 0x1f, 0x7f, 0x80, 0xff])
    for (let at = 0; at < head.length; at++) {
      const odd = Buffer.from(head);
      odd[at] = byte;
      yield odd;
    }
}

/** Heads whole, one cut at every byte, and those of long values. */
function* heads(): Generator<Uint8Array> {
  yield* wholeHeads;
  yield* longValues();
  const longest = Buffer.from([lines[2], ...(headers[2] ?? []), "", ""].join("\r\n"), "latin1");
  for (let length = 0; length < longest.length; length++) yield longest.subarray(0, length);
}

export function corpusAutomaton(): MatchAutomaton {
  const automaton = matchAutomaton(
    rules.map((matches) => matches.map((one) => create(HttpMatchSchema, one))),
  );
  if ("unfit" in automaton) throw new Error(automaton.unfit);
  return automaton;
}

export interface Comparison {
  readonly compared: number;
  /** Heads of which the kernel says other than the executor. */
  readonly different: readonly string[];
}

/** What the kernel's matcher says of each head, beside what the executor says. */
export async function compareOverCorpus(kernel: KernelMatcher): Promise<Comparison> {
  const automaton = corpusAutomaton();
  kernel.use(automaton);
  const different: string[] = [];
  let compared = 0;
  for (const head of heads()) {
    const found = await kernel.match(automaton, head);
    if (!isDeepStrictEqual(found, match(automaton, head))) {
      different.push(`${JSON.stringify(head.toString())}: ${JSON.stringify(found)}`);
    }
    compared++;
  }
  return { compared, different };
}
