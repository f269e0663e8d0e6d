import { expect, test } from "vitest";
import { Readiness } from "./readiness.ts";

test("it is ready when all that was held is done", () => {
  const readiness = new Readiness();
  expect(readiness.ready).toBe(true);
  const config = readiness.hold("config", "is being read");
  const ports = readiness.hold("ports", "are being opened");
  expect(readiness.waiting).toEqual({ config: "is being read", ports: "are being opened" });
  config();
  expect([readiness.ready, readiness.waiting]).toEqual([false, { ports: "are being opened" }]);
  ports();
  ports();
  expect([readiness.ready, readiness.waiting]).toEqual([true, {}]);
});
