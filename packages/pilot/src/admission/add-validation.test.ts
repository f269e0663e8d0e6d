import { connect } from "node:net";
import fastify, { type FastifyInstance } from "fastify";
import { Registry } from "prom-client";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { addValidation, ValidationMetrics } from "./add-validation.ts";

let server: FastifyInstance;
let registry: Registry;

beforeEach(() => {
  server = fastify();
  registry = new Registry();
  addValidation(server, new ValidationMetrics(registry));
  onTestFinished(() => server.close());
});

const post = async (payload: object | string, type = "application/json"): Promise<number> => {
  const headers = { "content-type": type };
  return (await server.inject({ method: "POST", url: "/validate", headers, payload })).statusCode;
};

const review = (kind: string): object => ({
  apiVersion: "admission.k8s.io/v1",
  kind: "AdmissionReview",
  request: {
    uid: "1",
    operation: "CREATE",
    kind: { group: "example.org", version: "v1", kind },
    object: { metadata: { name: "a" } },
  },
});

test.each([
  ["no JSON", "{", 400],
  ["no review", { kind: "AdmissionReview" }, 400],
  ["more than two objects can have", JSON.stringify("x".repeat(4 * 1024 * 1024)), 413],
])("%s is refused", async (_, body, status) => {
  expect(await post(body)).toBe(status);
});

test("who asks makes up no series of metrics", async () => {
  for (const kind of ["One", "Other"]) expect(await post(review(kind))).toBe(200);
  expect(await registry.metrics()).toContain('galley_validation_passed{group="other",resource="other"} 2');
});

test("of reviews that do not come to their end there are only so many", async () => {
  const address = new URL(await server.listen({ port: 0, host: "127.0.0.1" }));
  const head =
    "POST /validate HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{";
  const sockets = Array.from({ length: 16 }, () => connect(Number(address.port), "127.0.0.1"));
  for (const socket of sockets) socket.write(head);
  await expect.poll(() => post(review("One"))).toBe(429);
  for (const socket of sockets) socket.destroy();
  await expect.poll(() => post(review("One"))).toBe(200);
});
