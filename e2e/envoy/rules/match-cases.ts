/** A request as one of a match's cases has it. */
interface Request {
  readonly path?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A match of a VirtualService's HTTP route, and requests that it must take and must not. */
export interface MatchCase {
  readonly title: string;
  readonly match: Readonly<Record<string, unknown>>;
  readonly takes: readonly Request[];
  readonly leaves: readonly Request[];
}

const header = (name: string, value: string): Request => ({ headers: { [name]: value } });
const path = (text: string): Request => ({ path: text });

export const matchCases: readonly MatchCase[] = [
  {
    title: "exact path",
    match: { uri: { exact: "/a" } },
    takes: [path("/a"), path("/a?b=c")],
    leaves: [path("/a/"), path("/A"), path("/ab")],
  },
  {
    title: "path prefix",
    match: { uri: { prefix: "/a" } },
    takes: [path("/a"), path("/ab"), path("/a/b")],
    leaves: [path("/"), path("/b/a")],
  },
  {
    title: "path by regular expression",
    match: { uri: { regex: "/v[0-9]+/.*" } },
    takes: [path("/v1/x"), path("/v22/")],
    leaves: [path("/v/x"), path("/x/v1/x"), path("/v1")],
  },
  {
    title: "path in any case",
    match: { uri: { exact: "/a" }, ignoreUriCase: true },
    takes: [path("/a"), path("/A")],
    leaves: [path("/b")],
  },
  {
    title: "exact header",
    match: { headers: { "x-user": { exact: "jason" } } },
    takes: [header("x-user", "jason"), header("X-User", "jason")],
    leaves: [header("x-user", "jasone"), {}],
  },
  {
    title: "header prefix",
    match: { headers: { "x-user": { prefix: "ja" } } },
    takes: [header("x-user", "jason")],
    leaves: [header("x-user", "aja"), {}],
  },
  {
    title: "header by regular expression",
    match: { headers: { "x-user": { regex: "j.*n" } } },
    takes: [header("x-user", "jason")],
    leaves: [header("x-user", "jasone"), {}],
  },
  {
    title: "header that is there",
    match: { headers: { "x-user": {} } },
    takes: [header("x-user", "anyone")],
    leaves: [{}],
  },
  {
    title: "header that is not so",
    match: { withoutHeaders: { "x-user": { exact: "jason" } } },
    takes: [header("x-user", "other"), {}],
    leaves: [header("x-user", "jason")],
  },
  {
    title: "exact query parameter",
    match: { queryParams: { q: { exact: "1" } } },
    takes: [path("/?q=1"), path("/x?a=b&q=1")],
    leaves: [path("/?q=11"), path("/?p=1"), path("/")],
  },
  {
    title: "query parameter by regular expression",
    match: { queryParams: { q: { regex: "[0-9]+" } } },
    takes: [path("/?q=123")],
    leaves: [path("/?q=12a"), path("/")],
  },
  {
    title: "method",
    match: { method: { exact: "POST" } },
    takes: [{ method: "POST" }],
    leaves: [{ method: "GET" }],
  },
  {
    title: "authority",
    match: { authority: { exact: "reviews.default" } },
    takes: [header("host", "reviews.default")],
    leaves: [header("host", "reviews")],
  },
  {
    title: "all conditions of one match",
    match: { uri: { prefix: "/a" }, headers: { "x-user": { exact: "jason" } } },
    takes: [{ ...path("/a"), ...header("x-user", "jason") }],
    leaves: [path("/a"), header("x-user", "jason")],
  },
];
