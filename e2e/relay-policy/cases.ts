import type { MessageInitShape } from "@bufbuild/protobuf";
import type { HttpMatchSchema } from "@keelson/protos/match";
import type { HttpRouteSchema } from "@keelson/protos/route";
import fc from "fast-check";
import { chunkedAnswer } from "./echo.ts";

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
  /** ASCII; undefined: its request says no length, and methods that may have content have it in chunks, of which there is none. */
  readonly content: string | undefined;
}

/** Where routes lead: one endpoint each, none, one for mirrors, and several that are found by a key, or by no key. */
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
  "by-turns",
  "at-random",
  "by-least",
] as const;

// Few words, so that rules and requests meet.
const word = fc.constantFrom("a", "ab", "b", "A", "v1");
const path = fc.array(word, { minLength: 1, maxLength: 3 }).map((words) => `/${words.join("/")}`);
/** Once in so many times. */
const onceIn = <T>(times: number, one: fc.Arbitrary<T>) =>
  fc.oneof({ weight: times - 1, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: one });
const maybe = <T>(one: fc.Arbitrary<T>) => onceIn(2, one);
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
/** Of hosts, which begin with a letter and the case's number. */
const host = fc.constantFrom(prefix("c"), prefix("d"), regex("c[0-9]+(:80)?"), regex(".*[.]local"));
const user = fc.constantFrom("^(.*?; ?)?(user=a)(;.*)?$", "user=.*", 'b=c; user="[a-z]+"').map(regex);
const text = (value: fc.Arbitrary<string>) =>
  fc.oneof(value.map(exact), value.map(prefix), pattern.map(regex));

/** What rules are like: of all kinds, or most of them such as programs carry. */
export type Kind = "any" | "for programs";

/** Also beyond ASCII: rules are text, headers are its UTF-8. */
const fieldText = fc.oneof({ weight: 6, arbitrary: word }, fc.constant("é"));

const matchOf = (kind: Kind): fc.Arbitrary<MatchInit> =>
  fc
    .record({
      uri: maybe(fc.oneof(text(path), fc.constant(prefix("/")))),
      ignoreUriCase: fc.boolean(),
      wholeSegments: fc.boolean(),
      method: onceIn(4, text(fc.constantFrom("GET", "P", "POST"))),
      authority: onceIn(4, host),
      scheme: maybe(fc.constantFrom(exact("http"), prefix("https"))),
      headers: fc.array(
        fc.oneof(
          fc
            .record({
              name: fc.constantFrom("x", "cookie", "y"),
              value: maybe(text(fieldText)),
              invert: fc.boolean(),
            })
            .map(given),
          fc.record({ name: fc.constant("cookie"), value: user, invert: fc.boolean() }),
        ),
        { maxLength: 2 },
      ),
      // Where one of its rules looks at them, the port is the relay's.
      queryParameters: fc.array(
        fc.record({ name: fc.constantFrom("p", "q"), value: maybe(text(word)) }).map(given),
        { maxLength: kind === "any" ? 1 : 0 },
      ),
    })
    .map(given);

const operations = fc.record({
  set: fc.dictionary(fc.constantFrom("x", "X-Set", "y"), fieldText, { maxKeys: 2 }),
  add: fc.dictionary(fc.constantFrom("x", "x-add", "x-old"), word, { maxKeys: 2 }),
  remove: fc.array(fc.constantFrom("x", "y", "x-old", "X-Gone"), { maxLength: 2 }),
});

/** How seldom a rule asks for one of the things that are the relay's. */
const seldomOf: Readonly<Record<Kind, number>> = { any: 2, "for programs": 16 };

const destinationOf = (kind: Kind) =>
  fc
    .record({
      subset: fc.constantFrom(...subsets.filter((subset) => subset !== "mirror")),
      weight: fc.constantFrom(0, 1, 3),
      requestHeaders: onceIn(seldomOf[kind], operations),
      responseHeaders: onceIn(seldomOf[kind], operations),
    })
    .map(given);

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

function placesOf(kind: Kind) {
  const one = destinationOf(kind);
  const withHost = one.map((some) => ({ ...some, requestHeaders: { set: { Host: "of-destination" } } }));
  return fc.oneof(
    { weight: seldomOf[kind], arbitrary: one.map((some) => [some]) },
    { weight: seldomOf[kind], arbitrary: fc.tuple(one, one) },
    { weight: 1, arbitrary: fc.tuple(withHost, one) },
    { weight: 1, arbitrary: withHost.map((some) => [some]) },
  );
}

const actionOf = (kind: Kind) =>
  fc.oneof(
    { weight: 6, arbitrary: placesOf(kind).map((destinations) => ({ destinations })) },
    fc.oneof(redirect, prefixRedirect).map((one) => ({ redirect: one })),
    fc
      .constantFrom(200, 404, 503)
      .map((status) => ({ directResponse: { status, body: Buffer.from(`${status}`) } })),
  );

function routeOf(kind: Kind): fc.Arbitrary<RouteInit> {
  const rarely = <T>(one: fc.Arbitrary<T>) => onceIn(2 * seldomOf[kind], one);
  return fc
    .record({
      matches: fc.array(matchOf(kind), { maxLength: 2 }),
      action: actionOf(kind),
      rewrite: rarely(rewrite),
      cors: rarely(cors),
      mirrors: rarely(fc.constantFrom<{ percent: number }[]>([{ percent: 100 }], [{ percent: 0 }])),
      fault: rarely(fault),
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
}

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
        fc.constant(chunkedAnswer),
      ),
      { maxLength: 4 },
    ),
    content: maybe(fc.constantFrom("", "some content")),
  })
  .map(({ path: target, query: end, headers, content, ...rest }) => ({
    ...rest,
    content: ["POST", "PUT"].includes(rest.method) ? content : undefined,
    // What an Envoy refuses to read it answers with content, also to HEAD, which Node's client refuses to read.
    method: rest.method === "HEAD" && !plain.test(target) ? "GET" : rest.method,
    target: target + end,
    headers: headers.flat(),
  }));

const someCase = (kind: Kind): fc.Arbitrary<Case> =>
  fc.record({
    routes: fc.array(routeOf(kind), { minLength: 1, maxLength: 4 }),
    questions: fc.array(question, { minLength: 12, maxLength: 12 }),
  });

/** The same for the same seed. */
export const casesOf = (seed: number, count: number, kind: Kind = "any"): Case[] =>
  fc.sample(someCase(kind), { seed, numRuns: count });
