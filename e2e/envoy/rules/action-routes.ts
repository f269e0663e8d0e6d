/** A VirtualService's HTTP route, but for its one match. */
export type ActionRoute = Readonly<Record<string, unknown>> & {
  readonly match?: Readonly<Record<string, unknown>>;
};

/** A destination of the service that all rules are for. */
export const reviews = (subset: string, weight = 0) => ({ destination: { host: "reviews", subset }, weight });

const toV1 = { route: [reviews("v1")] };

/** HTTP routes of a VirtualService that do something, by what they do. */
export const actionRoutes = {
  weights: { route: [reviews("v1", 80), reviews("v2", 20)] },
  subset: { route: [reviews("v3")] },
  "rewrite of a prefix": { match: { uri: { prefix: "/old" } }, rewrite: { uri: "/new" }, ...toV1 },
  "rewrite by regular expression": {
    rewrite: { uriRegexRewrite: { match: "^/users/([0-9]+)$", rewrite: "/u/\\1" } },
    ...toV1,
  },
  "rewrite of the authority": { rewrite: { authority: "other.example.com" }, ...toV1 },
  redirect: { redirect: { uri: "/there", authority: "elsewhere.example.com", redirectCode: 302 } },
  "direct response": { directResponse: { status: 418, body: { string: "short and stout" } } },
  timeout: { timeout: "1s", ...toV1 },
  "enough retries": { retries: { attempts: 2, retryOn: "5xx", backoff: "0.01s" }, ...toV1 },
  "too few retries": { retries: { attempts: 1, retryOn: "5xx", backoff: "0.01s" }, ...toV1 },
  abort: { fault: { abort: { percentage: { value: 100 }, httpStatus: 418 } }, ...toV1 },
  "abort of some": { fault: { abort: { percentage: { value: 30 }, httpStatus: 503 } }, ...toV1 },
  delay: { fault: { delay: { percentage: { value: 100 }, fixedDelay: "0.3s" } }, ...toV1 },
  mirror: { mirrors: [{ destination: { host: "reviews", subset: "v2" } }], ...toV1 },
  headers: {
    headers: {
      request: { set: { "x-set": "new" }, add: { "x-added": "more" }, remove: ["x-removed"] },
      response: { set: { "x-answered": "yes" }, remove: ["x-backend"] },
    },
    ...toV1,
  },
  cors: {
    corsPolicy: { allowOrigins: [{ exact: "https://example.com" }], allowMethods: ["GET"], maxAge: "60s" },
    ...toV1,
  },
} as const satisfies Record<string, ActionRoute>;
