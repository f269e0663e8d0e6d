import type { MessageInitShape } from "@bufbuild/protobuf";
import type { HttpMatchSchema } from "@keelson/protos/match";
import type { HttpRouteSchema } from "@keelson/protos/route";
import fc from "fast-check";

type Plain<Shape> = Extract<Shape, { readonly $typeName?: never }>;
type RouteInit = Plain<MessageInitShape<typeof HttpRouteSchema>>;
type MatchInit = Plain<MessageInitShape<typeof HttpMatchSchema>>;

/** Routes of one service, and requests to it. */
export interface Case {
  readonly routes: readonly RouteInit[];
  readonly questions: readonly Question[];
}

export interface Question {
  readonly method: string;
  /** As it stands in the request line. */
  readonly target: string;
  /** What stands behind the service's name. */
  readonly authorityEnd: string;
  readonly headers: readonly string[];
}

/** Where routes lead: one endpoint each, none, one for mirrors, and several that are found by a key. */
export const subsets = [
  "v1",
  "v2",
  "none",
  "mirror",
  "by-header",
  "by-cookie",
  "by-query",
  "by-source",
  "by-maglev",
] as const;

// Few words, so that rules and requests meet.
const word = fc.constantFrom("a", "ab", "b", "A", "v1");
const path = fc.array(word, { minLength: 1, maxLength: 3 }).map((words) => `/${words.join("/")}`);
const maybe = <T>(one: fc.Arbitrary<T>) => fc.option(one, { nil: undefined });
const given = <T extends object>(record: T) =>
  Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined)) as {
    [Key in keyof T]: Exclude<T[Key], undefined>;
  };

type TextInit = NonNullable<MatchInit["uri"]>;
const exact = (value: string): TextInit => ({ how: { case: "exact", value } });
const prefix = (value: string): TextInit => ({ how: { case: "prefix", value } });
const regex = (value: string): TextInit => ({ how: { case: "regex", value } });
const pattern = fc.constantFrom(
  "/a.*",
  ".*b",
  "/(a|ab)/[a-z]+[0-9]?",
  "(?i)/A/?.*",
  "[^b]*",
  "a|ab",
  "v[0-9]",
);
const text = (value: fc.Arbitrary<string>) =>
  fc.oneof(value.map(exact), value.map(prefix), pattern.map(regex));

/** Also beyond ASCII: rules are text, headers are its UTF-8. */
const fieldText = fc.oneof({ weight: 6, arbitrary: word }, fc.constant("é"));

const match: fc.Arbitrary<MatchInit> = fc
  .record({
    uri: maybe(fc.oneof(text(path), fc.constant(prefix("/")))),
    ignoreUriCase: fc.boolean(),
    wholeSegments: fc.boolean(),
    method: maybe(
      fc.oneof({ weight: 3, arbitrary: fc.constant(undefined) }, text(fc.constantFrom("GET", "P", "POST"))),
    ),
    scheme: maybe(fc.constantFrom(exact("http"), prefix("https"))),
    headers: fc.array(
      fc
        .record({
          name: fc.constantFrom("x", "cookie", "y"),
          value: maybe(text(fieldText)),
          invert: fc.boolean(),
        })
        .map(given),
      { maxLength: 2 },
    ),
    queryParameters: fc.array(
      fc.record({ name: fc.constantFrom("p", "q"), value: maybe(text(word)) }).map(given),
      { maxLength: 1 },
    ),
  })
  .map(given);

const operations = fc.record({
  set: fc.dictionary(fc.constantFrom("x", "X-Set", "y"), fieldText, { maxKeys: 2 }),
  add: fc.dictionary(fc.constantFrom("x", "x-add", "x-old"), word, { maxKeys: 2 }),
  remove: fc.array(fc.constantFrom("x", "y", "x-old", "X-Gone"), { maxLength: 2 }),
});

const destination = fc
  .record({
    subset: fc.constantFrom(...subsets.filter((subset) => subset !== "mirror")),
    weight: fc.constantFrom(0, 1, 3),
    requestHeaders: maybe(operations),
    responseHeaders: maybe(operations),
  })
  .map(given);
const withHost = destination.map((one) => ({ ...one, requestHeaders: { set: { Host: "of-destination" } } }));

const rewrite = fc.oneof(
  fc.record({ uri: fc.constantFrom("/", "/new", "/new/"), authority: fc.constantFrom("", "other:81") }),
  // What is left always is a path: a server would refuse another one.
  fc.constantFrom(
    { regex: "^/(a+)/(.*)$", substitution: "/\\2/\\1" },
    { regex: "a|b", substitution: "<\\0>" },
    { regex: "b*", substitution: "/c" },
    { regex: "b+", substitution: "" },
    { regex: "/([^/]+)", substitution: "/x\\1" },
  ),
  fc.constant({ authority: "other" }),
);

const redirect = fc
  .record({
    authority: fc.constantFrom("", "else"),
    scheme: fc.constantFrom("", "https"),
    port: fc.constantFrom(0, 443, 8443),
    portFromRequest: fc.boolean(),
    code: fc.constantFrom(0, 302, 308),
    uri: fc.constantFrom("", "/there", "/there?with=query"),
  })
  .map((one) => (one.portFromRequest ? { ...one, port: 0 } : one));
const prefixRedirect = fc.record({ prefixRewrite: fc.constantFrom("/x", "/x/") });

const cors = fc.record({
  allowOrigins: fc.array(text(fc.constantFrom("https://a", "*")), { maxLength: 2 }),
  allowMethods: fc.constantFrom<string[]>([], ["GET", "PUT"]),
  allowHeaders: fc.constantFrom<string[]>([], ["x", "y"]),
  exposeHeaders: fc.constantFrom<string[]>([], ["z"]),
  forwardUnmatchedPreflights: fc.boolean(),
  allowCredentials: fc.boolean(),
});

const fault = fc.oneof(
  fc.record({ abortPercent: fc.constantFrom(0, 100), httpStatus: fc.constantFrom(418, 503) }),
  fc.record({ abortPercent: fc.constant(100), grpcStatus: fc.constantFrom("UNAVAILABLE", "not_found") }),
);

const places = fc.oneof(
  { weight: 4, arbitrary: destination.map((one) => [one]) },
  { weight: 2, arbitrary: fc.tuple(destination, destination) },
  { weight: 1, arbitrary: fc.tuple(withHost, destination) },
  { weight: 1, arbitrary: withHost.map((one) => [one]) },
);
const rarely = <T>(one: fc.Arbitrary<T>) => fc.option(one, { nil: undefined, freq: 3 });
const often = { weight: 6, arbitrary: places.map((destinations) => ({ destinations })) };
const action = fc.oneof(
  often,
  fc.oneof(redirect, prefixRedirect).map((one) => ({ redirect: one })),
  fc
    .constantFrom(200, 404, 503)
    .map((status) => ({ directResponse: { status, body: Buffer.from(`${status}`) } })),
);

const route: fc.Arbitrary<RouteInit> = fc
  .record({
    matches: fc.array(match, { maxLength: 2 }),
    action,
    rewrite: rarely(rewrite),
    cors: rarely(cors),
    mirrors: rarely(fc.constantFrom<{ percent: number }[]>([{ percent: 100 }], [{ percent: 0 }])),
    fault: fc.option(fault, { nil: undefined, freq: 8 }),
    requestHeaders: rarely(operations),
    responseHeaders: rarely(operations),
  })
  .map(
    ({ action: one, rewrite: change, mirrors, ...rest }) =>
      given({
        ...rest,
        ...one,
        ...("destinations" in one && { ...(change && { rewrite: change }), ...(mirrors && { mirrors }) }),
      }) as RouteInit,
  );

const oddPath = fc.constantFrom(
  "/a/../b",
  "/%61",
  "/a%2Fb",
  "/a//b",
  "/a\\b",
  "/.",
  "/a/.",
  "/a/..",
  "/../a",
  "/%2e%2E/a",
  "/a/%2e/b",
  "/%zz",
  "/%",
  "/a;b",
  "/a|b",
  '/a"b',
  "/a{b}",
  "/a^b`",
  "/*",
  "/%7ea",
  "/a.b",
  "/a/.b",
  "/a/..b",
  "/a/...",
  "/.a",
  "/a[b]",
  "/<a>",
  "/a/b/../..",
  "/a/",
  "//a",
  "/a:b@c",
  "/!$&'()+,=",
  "/%41",
  "/%c3%a9",
  "/a%00",
  "/a#b",
  "/a%20b",
);
const anyPath = fc.oneof({ weight: 3, arbitrary: path }, oddPath);
const query = fc.constantFrom("", "", "?p=a&q=ab", "?q", "?q=%61", "?p=v1&p=a", "?", "?p=b?c", "?&&q=b=");

const plain = /^[/\w]+$/;

const question: fc.Arbitrary<Question> = fc
  .record({
    method: fc.constantFrom("GET", "GET", "GET", "POST", "PUT", "HEAD", "OPTIONS"),
    path: anyPath,
    query,
    authorityEnd: fc.constantFrom("", ":80", ".default.svc.cluster.local", ".default:80"),
    headers: fc.array(
      fc.oneof(
        fc.tuple(fc.constantFrom("X", "x", "y", "Other"), word),
        fc.tuple(fc.constantFrom("X", "y"), fc.constant(Buffer.from("é").toString("latin1"))),
        fc.tuple(fc.constant("Cookie"), fc.constantFrom("user=a", 'b=c; user="ab"', "a", "user=")),
        fc.tuple(fc.constant("Origin"), fc.constantFrom("https://a", "https://b")),
        fc.constant(["Access-Control-Request-Method", "PUT"] as const),
        fc.constant(["Content-Type", "application/grpc"] as const),
      ),
      { maxLength: 4 },
    ),
  })
  .map(({ path: target, query: end, headers, ...rest }) => ({
    ...rest,
    // What an Envoy refuses to read it answers with content, also to HEAD, which Node's client refuses to read.
    method: rest.method === "HEAD" && !plain.test(target) ? "GET" : rest.method,
    target: target + end,
    headers: headers.flat(),
  }));

const someCase: fc.Arbitrary<Case> = fc.record({
  routes: fc.array(route, { minLength: 1, maxLength: 4 }),
  questions: fc.array(question, { minLength: 12, maxLength: 12 }),
});

/** The same for the same seed. */
export const casesOf = (seed: number, count: number): Case[] => fc.sample(someCase, { seed, numRuns: count });
