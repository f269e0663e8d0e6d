import { readConfigFile } from "@keelson/sources";
import { expect, test } from "vitest";
import { pods, reviews, reviewsRule, service, slice } from "../testing/config.ts";
import { type CheckOptions, check, type ValidationReport } from "./check.ts";

/** @param files text by name */
function checked(
  files: Readonly<Record<string, string>>,
  options: Partial<CheckOptions> = {},
): ValidationReport {
  const read = Object.entries(files).map(([name, text]) => ({ name, content: readConfigFile(text, name) }));
  return check(read, { domain: "cluster.local", complete: false, ...options });
}

const messages = ({ problems }: ValidationReport): string[] => problems.map(({ message }) => message);

test("a rule alone says nothing against its service", () => {
  expect(checked({ "rule.yaml": reviewsRule("v1") }).problems).toEqual([]);
});

test("files that are complete are told what they lack", () => {
  const report = checked({ "rule.yaml": reviewsRule("v1") }, { complete: true });
  expect(messages(report)).toEqual([
    "there is no service reviews.default.svc.cluster.local; the rule has no effect",
  ]);
  expect(report).toMatchObject({ files: 1, objects: 1, errors: 0, warnings: 1 });
});

test("another domain makes other services", () => {
  expect(messages(checked({ r: reviewsRule("v1") }, { complete: true, domain: "example.org" }))).toEqual([
    "there is no service reviews.default.svc.example.org; the rule has no effect",
  ]);
});

test("a service whose endpoints are not in the files may have any", () => {
  const files = { "rule.yaml": reviewsRule("v9"), "service.yaml": service("reviews") };
  expect(checked(files).problems).toEqual([]);
  expect(messages(checked(files, { complete: true }))).toEqual([
    expect.stringContaining("has no ready endpoint on port 9080"),
  ]);
});

test("endpoints whose pods are not in the files may be there, and have any labels", () => {
  const files = {
    "rule.yaml": reviewsRule("v9"),
    "reviews.yaml": service("reviews") + slice("reviews", ["reviews-v1"]),
  };
  expect(checked(files).problems).toEqual([]);
  expect(checked(files, { complete: true }).warnings).toBe(1);
});

test("a label that no pod of the files has is told, with its place", () => {
  const { problems } = checked({ "rule.yaml": reviewsRule("v9"), "reviews.yaml": reviews });
  expect(problems).toMatchObject([
    {
      severity: "warning",
      object: "RouteRule default/reviews-default",
      field: "spec.route[0]",
      location: { file: "rule.yaml", line: 11, column: 5 },
      message: expect.stringMatching(
        /^none of its 2 endpoints has the labels version=v9; there are: version=v1; version=v2/,
      ),
    },
  ]);
});

const elsewhere = `
apiVersion: config.istio.io/v1alpha2
kind: RouteRule
metadata: {name: reviews-default}
spec:
  destination: {name: reviews}
  route:
  - {labels: {version: v9}, weight: 50}
  - {destination: {name: ratings}, weight: 50}
`;

test("a destination that is not in the files is not judged, while its neighbour is", () => {
  const { problems } = checked({ "rule.yaml": elsewhere, "reviews.yaml": reviews });
  expect(problems.map(({ field }) => field)).toEqual(["spec.route[0]"]);
  const all = checked({ "rule.yaml": elsewhere, "reviews.yaml": reviews }, { complete: true });
  expect(all.problems.map(({ field }) => field)).toEqual(["spec.route[0]", "spec.route[1]"]);
});

test("what a rule asks for in vain is told where its service is in the files", () => {
  const rule = `${reviewsRule("v1")}  match: {source: {name: productpage}}\n`;
  expect(checked({ rule }).problems).toEqual([]);
  expect(messages(checked({ rule, service: service("reviews") }))).toEqual([
    expect.stringContaining(
      "the rule is not applied by kernel nodes: it matches on the caller (productpage.default",
    ),
  ]);
});

test("two objects of one name are an error in the file that comes later", () => {
  const report = checked({ "a.yaml": reviewsRule("v1"), "b.yaml": reviewsRule("v2") });
  expect(report.errors).toBe(1);
  expect(report.problems[0]).toMatchObject({
    location: { file: "b.yaml" },
    message: expect.stringContaining("stands at a.yaml:"),
  });
});

test("objects with errors are counted, and files in their order are not needed to sort the problems", () => {
  const broken = reviewsRule("v1").replace("precedence: 1", "precedense: 1\n  weight: 3");
  const report = checked({ "z.yaml": broken, "b.yaml": pods({ p: {} }), "a.yaml": "kind: [\n" });
  expect(report).toMatchObject({ files: 3, objects: 2 });
  expect(report.problems.map(({ location: { file, line } }) => `${file}:${line}`)).toEqual([
    expect.stringMatching(/^a\.yaml:/),
    "z.yaml:9",
    "z.yaml:10",
  ]);
});
