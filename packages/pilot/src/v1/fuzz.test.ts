import fc from "fast-check";
import fastify from "fastify";
import { expect, test } from "vitest";
import { registerV1 } from "./register-v1.ts";
import { mockIr, nodes } from "./testing/mock-world.ts";

const world = mockIr();
const known = [
  "v1",
  "registration",
  "clusters",
  "routes",
  "listeners",
  "az",
  "80",
  "http_proxy",
  ...Object.values(nodes),
];

/** What may stand between two slashes of a path: known words, and anything else that a client can send. */
const segment = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...known) },
  { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 300 }).map(encodeWhole) },
  { weight: 1, arbitrary: fc.stringMatching(/^[-|;=,*~%.a-z0-9&?[\]]{0,40}$/) },
  { weight: 1, arbitrary: fc.constantFrom("%", "%2", "%zz", "%ff", "%00", "..", "%2F", "~~~", "sidecar~~~") },
);

/** Lone halves of surrogate pairs have no encoding. */
function encodeWhole(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}

const path = fc
  .array(segment, { maxLength: 6 })
  .map((segments) => `/v1/${segments.join("/")}`)
  .filter((url) => !url.includes("\\"));

const statuses = { "0.2": [200, 400, 404], "0.7": [200, 400, 404, 503] } as const;

test.each(["0.2", "0.7"] as const)(
  "whatever path is asked for, %s answers, and no answer is long",
  async (age) => {
    const server = fastify();
    registerV1(server, () => world, { age });
    await fc.assert(
      fc.asyncProperty(path, async (url) => {
        const { statusCode, body } = await server.inject({ url });
        expect(statuses[age]).toContain(statusCode);
        if (statusCode !== 200) expect(body.length).toBeLessThan(1000);
        else expect(() => JSON.parse(body === "" ? "null" : body) as unknown).not.toThrow();
      }),
      { numRuns: 1500 },
    );
  },
);

test("names that nobody has do not fill the memory", async () => {
  const server = fastify();
  const maxCacheBytes = 50_000;
  registerV1(server, () => world, { maxCacheBytes });
  for (let i = 0; i < 1000; i++) {
    const { statusCode } = await server.inject({ url: `/v1/registration/${i}${"x".repeat(500)}` });
    expect(statusCode).toBe(200);
  }
  const { body } = await server.inject({ url: "/cache_stats" });
  const { cache_stats: counts } = JSON.parse(body) as { cache_stats: Record<string, unknown> };
  const keys = Object.keys(counts);
  expect(keys.length).toBeGreaterThan(10);
  expect(keys.reduce((sum, key) => sum + key.length, 0)).toBeLessThan(maxCacheBytes);
});

test("a proxy of any name is answered", async () => {
  const server = fastify();
  registerV1(server, () => world);
  const part = fc.stringMatching(/^[-.:a-z0-9_]{0,30}$/);
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom("sidecar", "ingress", "egress", "x"),
      part,
      part,
      part,
      async (...parts) => {
        for (const kind of ["clusters", "listeners", "routes/80"]) {
          const { statusCode, body } = await server.inject({
            url: `/v1/${kind}/istio-proxy/${parts.join("~")}`,
          });
          expect(statusCode).toBe(200);
          JSON.parse(body);
        }
      },
    ),
    { numRuns: 150 },
  );
});
