import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { ObservedRequestSchema } from "@keelson/protos/telemetry";
import { expect, test } from "vitest";
import { isWanted, observationOf, observationQuery, parseSample, parseStatus } from "./observation.ts";

const request = (part: MessageInitShape<typeof ObservedRequestSchema> = {}) =>
  create(ObservedRequestSchema, {
    source: "shop/web-6f9-x2x",
    service: "reviews.shop.svc.cluster.local",
    port: 9080,
    status: 503,
    route: "canary",
    ...part,
  });

const all = { from: "", to: "", status: "", route: "" };

test.each([
  [{}, true],
  [{ from: "shop/web-6f9-x2x" }, true],
  [{ from: "web-6f9-x2x" }, true],
  [{ from: "web" }, true],
  [{ from: "shop/web" }, true],
  [{ from: "shop/" }, true],
  [{ from: "shop" }, false],
  [{ from: "we" }, false],
  [{ from: "other/web" }, false],
  [{ to: "reviews" }, true],
  [{ to: "reviews.shop:9080" }, true],
  [{ to: "reviews.shop.svc.cluster.local" }, true],
  [{ to: "reviews:80" }, false],
  [{ to: "review" }, false],
  [{ status: "503" }, true],
  [{ status: "5xx" }, true],
  [{ status: "50x" }, false],
  [{ status: "2xx" }, false],
  [{ route: "canary" }, true],
  [{ route: "can" }, false],
  [{ from: "web", to: "ratings" }, false],
])("%j: %s", (wanted, expected) => {
  expect(isWanted({ ...all, ...wanted }, request())).toBe(expected);
});

test("whose answer nobody saw has no status, and who is not known is no caller", () => {
  expect(isWanted({ ...all, status: "2xx" }, request({ status: 0 }))).toBe(false);
  expect(isWanted({ ...all, from: "web" }, request({ source: "" }))).toBe(false);
});

test("what is wanted survives its way as a query", () => {
  const wanted = { ...all, every: 100, from: "a/b&c=d", status: "5xx" };
  expect(observationOf(observationQuery(wanted))).toEqual(wanted);
  expect(observationOf(new URLSearchParams())).toEqual({ ...all, every: 1 });
});

test("samples and statuses", () => {
  expect([parseSample("1/100"), parseSample("7")]).toEqual([100, 7]);
  for (const wrong of ["", "0", "1/0", "2/3", "-1", "x"])
    expect(() => parseSample(wrong)).toThrow("such as 1/100");
  expect([parseStatus("404"), parseStatus("5XX")]).toEqual(["404", "5xx"]);
  for (const wrong of ["", "0xx", "5x", "50x", "5000"])
    expect(() => parseStatus(wrong)).toThrow("503 or 5xx");
});
