import { expect, test } from "vitest";
import { admissionAnswer, admissionReview } from "./admission-review.ts";
import { validate } from "./validate.ts";

const review = (
  kind: string,
  object: Readonly<Record<string, unknown>>,
  more: Readonly<Record<string, unknown>> = {},
) =>
  admissionReview.parse({
    apiVersion: "admission.k8s.io/v1",
    kind: "AdmissionReview",
    request: {
      uid: "u-1",
      operation: "CREATE",
      kind: { group: "networking.istio.io", version: "v1", kind },
      name: "a",
      namespace: "shop",
      object: { apiVersion: "networking.istio.io/v1", kind, metadata: { name: "a" }, ...object },
      ...more,
    },
  });

const destination = { host: "reviews" };
const good = { spec: { hosts: ["reviews"], http: [{ route: [{ destination }] }] } };
const bad = { spec: { hosts: ["reviews"], http: [{ route: [{ destination, weihgt: 1 }] }] } };

test("a rule that is read is allowed, in every version of its kind", () => {
  expect(validate(review("VirtualService", good).request)).toEqual({ allowed: true, warnings: [] });
  const later = { group: "networking.istio.io", version: "v2", kind: "VirtualService" };
  expect(validate(review("VirtualService", good, { kind: later }).request).allowed).toBe(true);
});

test("one that would be left out is refused, with the field and what would be right", () => {
  const { allowed, message } = validate(review("VirtualService", bad).request);
  expect(allowed).toBe(false);
  expect(message).toBe(
    'configuration is invalid: spec.http[0].route[0].weihgt: unknown field "weihgt"; did you mean "weight"?',
  );
});

test("what is not read is allowed, and said", () => {
  expect(validate(review("EnvoyFilter", {}).request)).toEqual({
    allowed: true,
    warnings: ["EnvoyFilter is not read by this control plane, and has no effect"],
  });
  // Of the same name, but another project's.
  const { request } = review("VirtualService", bad, {
    kind: { group: "example.org", version: "v1", kind: "VirtualService" },
  });
  expect(validate(request).allowed).toBe(true);
});

test("an object that gets its name later is read as one that has it", () => {
  const { request } = review("VirtualService", { ...good, metadata: { generateName: "a-" } }, { name: "" });
  expect(validate(request)).toEqual({ allowed: true, warnings: [] });
});

test("what is deleted is not looked at; what is no object is refused", () => {
  expect(validate(review("VirtualService", bad, { operation: "DELETE", object: null }).request).allowed).toBe(
    true,
  );
  expect(validate(review("VirtualService", {}, { object: "text" }).request).allowed).toBe(false);
});

test("the object of the trial is refused whatever it says", () => {
  const metadata = { name: "a", annotations: { "internal.istio.io/webhook-always-reject": "true" } };
  expect(validate(review("VirtualService", { ...good, metadata }).request).allowed).toBe(false);
});

test("the answer has the question's version and number", () => {
  expect(
    admissionAnswer(review("VirtualService", good), { allowed: false, message: "no", warnings: [] }),
  ).toEqual({
    apiVersion: "admission.k8s.io/v1",
    kind: "AdmissionReview",
    response: { uid: "u-1", allowed: false, status: { code: 400, reason: "BadRequest", message: "no" } },
  });
});
