import { createHash } from "node:crypto";

/** One thing that callers do; each does it in the way its library does. */
export interface Step {
  readonly name: string;
  readonly method: "GET" | "HEAD" | "POST";
  readonly path: string;
  /** Bytes of the request's body, letters by their place; none if left out. */
  readonly body?: number;
  /** The body's length is not told before it. */
  readonly chunked?: boolean;
  /** The caller waits for "100 Continue" before it sends the body. */
  readonly expect?: boolean;
  /** Value of the header x-test. */
  readonly header?: string;
  /** How often, one after the other on a connection that is kept; once if left out. */
  readonly times?: number;
  /** All `times` at once. */
  readonly atOnce?: boolean;
  /** What it must come to, after redirects. */
  readonly answer: Answer;
  /** A server that only hands out files cannot answer it. */
  readonly computed?: boolean;
}

export interface Answer {
  readonly status: number;
  /** Of the body as it came; of a HEAD none does. */
  readonly sha256: string;
  /** As the header says it, where it must be there. */
  readonly contentLength?: number;
}

/** Bytes that requests and answers carry. */
export const pattern = (size: number): Buffer =>
  Buffer.from(Uint8Array.from({ length: size }, (_, place) => 97 + (place % 26)));

const sha256 = (content: Buffer | string): string => createHash("sha256").update(content).digest("hex");
const ok = (content: Buffer | string): Answer => ({ status: 200, sha256: sha256(content) });
const empty = (status: number): Answer => ({ status, sha256: sha256("") });
/** What /digest answers. */
const digest = (size: number): string => `${size} ${sha256(pattern(size))}\n`;

/** Sizes that servers hand out as /bytes/SIZE. */
export const byteSizes = [0, 1, 128, 65_536, 1_048_576, 33_554_432] as const;

const get = (size: (typeof byteSizes)[number], more: Partial<Step> = {}): Step => ({
  name: `GET of ${size} bytes`,
  method: "GET",
  path: `/bytes/${size}`,
  answer: { ...ok(pattern(size)), contentLength: size },
  ...more,
});

const post = (body: number, more: Partial<Step> = {}): Step => ({
  name: `POST of ${body} bytes`,
  method: "POST",
  path: "/digest",
  body,
  computed: true,
  answer: ok(digest(body)),
  ...more,
});

const target = "/target/a%20b;c?x=%2F&y=1";

/** In the order in which each caller does them, on as few connections as it will. */
export const steps: readonly Step[] = [
  ...[0, 1, 128, 65_536, 1_048_576].map((size) => get(size as (typeof byteSizes)[number])),
  ...[0, 1, 65_536, 1_048_576].map((size) => post(size)),
  post(300_000, { name: "POST in chunks", chunked: true }),
  {
    name: "an answer in chunks",
    method: "GET",
    path: "/chunked/300000",
    computed: true,
    answer: ok(pattern(300_000)),
  },
  {
    name: "HEAD of 1048576 bytes",
    method: "HEAD",
    path: "/bytes/1048576",
    answer: { ...empty(200), contentLength: 1_048_576 },
  },
  get(128, { name: "GET after HEAD" }),
  { name: "204", method: "GET", path: "/status/204", answer: empty(204) },
  get(1, { name: "GET after 204" }),
  { name: "304", method: "GET", path: "/status/304", answer: empty(304) },
  get(1, { name: "GET after 304" }),
  {
    name: "500 with a body",
    method: "GET",
    path: "/status/500",
    computed: true,
    answer: { ...ok("status 500\n"), status: 500 },
  },
  post(65_536, { name: "POST that waits for 100 Continue", expect: true }),
  get(128, { name: "three redirects", path: "/redirect/3" }),
  post(1_000, { name: "a redirect of a POST, with its body", path: "/redirect-post" }),
  { name: "a target as it was written", method: "GET", path: target, answer: ok(target) },
  { name: "a header", method: "GET", path: "/header", header: 'Ab, c;d="e"', answer: ok('Ab, c;d="e"') },
  {
    name: "an answer that takes its time",
    method: "GET",
    path: "/slow/300",
    computed: true,
    answer: ok("slow\n"),
  },
  { name: "an answer in drops", method: "GET", path: "/drip/10", computed: true, answer: ok(pattern(10)) },
  get(128, { name: "20 requests, one after the other", times: 20 }),
  get(65_536, { name: "30 requests at once", times: 30, atOnce: true }),
  get(33_554_432),
];

/** What came of a step. */
export type Observation =
  | { readonly status: number; readonly sha256: string; readonly contentLength?: number }
  | { readonly error: string };

/** What is wrong with it, in words; nothing if nothing is. */
export function judge({ answer }: Step, seen: Observation): string | undefined {
  if ("error" in seen) return seen.error;
  const { contentLength = seen.contentLength, ...wanted } = answer;
  if (seen.status !== wanted.status) return `status ${seen.status} instead of ${wanted.status}`;
  if (seen.sha256 !== wanted.sha256) return `a body of digest ${seen.sha256} instead of ${wanted.sha256}`;
  if (seen.contentLength !== contentLength)
    return `content-length ${seen.contentLength ?? "missing"} instead of ${contentLength}`;
  return undefined;
}
