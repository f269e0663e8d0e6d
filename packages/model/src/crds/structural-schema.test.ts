import { expect, test } from "vitest";
import { z } from "zod";
import { notCarried } from "../kinds/not-carried.ts";
import { exactlyOneOf } from "../kinds/one-of.ts";
import { structuralSchema } from "./structural-schema.ts";

const fields = (schema: z.ZodType, snakeCase = false) => structuralSchema(schema, snakeCase).properties;

test("fields keep their types and bounds, and lose their defaults", () => {
  const schema = z.strictObject({
    name: z.string().max(5).regex(/^a/),
    weight: z.number().int().min(0).max(100).default(7),
    mode: z.enum(["A", "B"]).optional(),
    ports: z.array(z.number().int().positive().max(10)).min(1).default([]),
  });
  expect(structuralSchema(schema, false)).toEqual({
    type: "object",
    required: ["name"],
    properties: {
      name: { type: "string", maxLength: 5, pattern: "^a" },
      weight: { type: "integer", minimum: 0, maximum: 100 },
      mode: { type: "string", enum: ["A", "B"] },
      ports: {
        type: "array",
        minItems: 1,
        items: { type: "integer", minimum: 0, exclusiveMinimum: true, maximum: 10 },
      },
    },
  });
});

test("a map says what its values are, a field of any content that it is kept", () => {
  const schema = z.strictObject({
    labels: z.record(z.string().min(1), z.string()),
    custom: z.looseObject({}),
    anything: z.unknown(),
  });
  expect(fields(schema)).toEqual({
    labels: { type: "object", additionalProperties: { type: "string" } },
    custom: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
    anything: { "x-kubernetes-preserve-unknown-fields": true },
  });
});

test("alternatives share their type; one that takes everything makes the others needless", () => {
  const schema = z.strictObject({
    port: z.union([z.number().int().min(1).max(9), z.literal(0)]),
    to: z.union([z.enum([".", "*"]), z.string().regex(/^[a-z]+$/)]),
    host: z.union([z.string(), z.string().max(3)]),
    target: z.union([z.number().int(), z.string()]),
  });
  expect(fields(schema)).toEqual({
    port: { type: "integer", anyOf: [{ minimum: 1, maximum: 9 }, { enum: [0] }] },
    to: { type: "string", anyOf: [{ enum: [".", "*"] }, { pattern: "^[a-z]+$" }] },
    host: { type: "string" },
    target: { "x-kubernetes-int-or-string": true },
  });
});

test("alternatives that no structural schema holds are refused", () => {
  const schema = z.strictObject({ odd: z.union([z.string(), z.array(z.string())]) });
  expect(() => structuralSchema(schema, false)).toThrow("string or array");
});

test("what refinements say of fields that exclude each other stands beside the type", () => {
  const match = z.strictObject({ exact: z.string().optional(), prefix: z.string().optional() });
  const schema = z.strictObject({ match: match.meta(exactlyOneOf("exact", "prefix")).optional() });
  expect(fields(schema)?.["match"]).toMatchObject({
    type: "object",
    oneOf: [{ required: ["exact"] }, { required: ["prefix"] }],
  });
});

test("a field without effect says so; one that is never taken is left out", () => {
  const schema = z.strictObject({
    idle: notCarried(z.string()).optional(),
    gone: z.undefined("is gone").optional(),
  });
  expect(fields(schema)).toEqual({
    idle: { type: "string", description: "Has no effect: it is not supported yet." },
  });
});

test("bytes are what Kubernetes calls byte", () => {
  expect(fields(z.strictObject({ body: z.base64() }))?.["body"]).toMatchObject({
    type: "string",
    format: "byte",
  });
});

test("fields of 0.2 may be written in either case, and what is required is so in either", () => {
  const inner = z.strictObject({ simpleRetry: z.strictObject({ attempts: z.number().int() }) });
  expect(structuralSchema(z.strictObject({ httpReqRetries: inner.optional() }), true)).toEqual({
    type: "object",
    properties: {
      httpReqRetries: expect.objectContaining({
        allOf: [{ anyOf: [{ required: ["simpleRetry"] }, { required: ["simple_retry"] }] }],
      }),
      http_req_retries: expect.objectContaining({
        properties: {
          simpleRetry: expect.objectContaining({ required: ["attempts"] }),
          simple_retry: expect.objectContaining({ required: ["attempts"] }),
        },
      }),
    },
  });
});
