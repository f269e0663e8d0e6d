import { expect, test } from "vitest";
import { parseV1Path } from "./v1-request.ts";

test.each([
  ["/v1/registration", { kind: "registration" }],
  ["/v1/registration/", { kind: "registration" }],
  ["/v1/registration/a|b", { kind: "endpoints", key: "a|b" }],
  ["/v1/registration/a|b/", { kind: "endpoints", key: "a|b" }],
  // Labels of Kubernetes hold slashes.
  ["/v1/registration/a|b|app.io/x=y", { kind: "endpoints", key: "a|b|app.io/x=y" }],
  ["/v1/registration/a\nb", { kind: "endpoints", key: "a\nb" }],
  ["/v1/clusters/c/n", { kind: "clusters", node: "n" }],
  ["/v1/clusters/c/n/", { kind: "clusters", node: "n" }],
  ["/v1/listeners/c/n", { kind: "listeners", node: "n" }],
  ["/v1/az/c/n", { kind: "az", node: "n" }],
  ["/v1/routes/80/c/n", { kind: "routes", name: "80", node: "n" }],
])("%j is a request", (path, request) => {
  expect(parseV1Path(path)).toEqual(request);
});

test.each([
  "/v1/",
  "/v1/clusters",
  "/v1/clusters/",
  "/v1/clusters/c",
  "/v1/clusters//n",
  "/v1/clusters/c/n/x",
  "/v1/routes/80/c",
  "/v1/routes/80/c/n/x",
  "/v1/registrations",
  "/v1/nodes/c/n",
  "/v2/clusters/c/n",
])("%s means nothing", (path) => {
  expect(parseV1Path(path)).toBeUndefined();
});

test("a long path of slashes is read in no time", () => {
  expect(parseV1Path(`/v1/routes/${"/".repeat(100_000)}`)).toBeUndefined();
  expect(parseV1Path(`/v1/clusters/${"a/".repeat(100_000)}`)).toBeUndefined();
});
