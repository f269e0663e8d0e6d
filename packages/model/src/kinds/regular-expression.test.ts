import { expect, test } from "vitest";
import { parseObject } from "../parse-object.ts";
import { httpRoute, originAt, routeRule, virtualService } from "../testing/index.ts";

const route = [{ destination: { host: "reviews" } }];
const problemsOf = (manifest: object): string[] =>
  parseObject(manifest, originAt("a.yaml")).problems.map(({ field, message }) => `${field}: ${message}`);

/** The same expression wherever one may stand. */
const places: readonly [place: string, field: string, manifest: (regex: string) => object][] = [
  [
    "the path of a VirtualService",
    "spec.http[0].match[0].uri.regex",
    (regex) => virtualService({ spec: { http: [{ match: [{ uri: { regex } }], route }] } }),
  ],
  [
    "a header of a VirtualService",
    "spec.http[0].match[0].headers.end-user.regex",
    (regex) =>
      virtualService({ spec: { http: [{ match: [{ headers: { "end-user": { regex } } }], route }] } }),
  ],
  [
    "what a VirtualService rewrites",
    "spec.http[0].rewrite.uriRegexRewrite.match",
    (match) =>
      virtualService({ spec: { http: [{ rewrite: { uriRegexRewrite: { match, rewrite: "/" } }, route }] } }),
  ],
  [
    "the path of an HTTPRoute",
    "spec.rules[0].matches[0].path",
    (value) =>
      httpRoute({ spec: { rules: [{ matches: [{ path: { type: "RegularExpression", value } }] }] } }),
  ],
  [
    "a header of a RouteRule",
    "spec.match.request.headers.cookie.regex",
    (regex) => routeRule({ spec: { match: { request: { headers: { cookie: { regex } } } } } }),
  ],
];

test.each(places)("%s takes RE2's expressions, and no others", (_, field, manifest) => {
  expect(problemsOf(manifest("^(.*?;)?(user=[a-z]+)(;.*)?$"))).toEqual([]);
  for (const wrong of ["/a(?=b)", "(a)\\1", "/a[", "(?<!a)b"]) {
    const problems = problemsOf(manifest(wrong));
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(`${field}: is not a regular expression in RE2's syntax`);
  }
});
