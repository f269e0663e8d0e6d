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

test("what is wrong is told, and is not in the way", () => {
  const readiness = new Readiness();
  readiness.fail("port 15012", "it is taken");
  readiness.fail("mesh", "line 1");
  readiness.fail("mesh", "line 2");
  expect([readiness.ready, readiness.problems]).toEqual([
    true,
    { "port 15012": "it is taken", mesh: "line 2" },
  ]);
  readiness.recover("mesh");
  readiness.recover("mesh");
  expect(readiness.problems).toEqual({ "port 15012": "it is taken" });
});

test("what a source waits for is told until all is ready, and is a problem from then on", () => {
  const readiness = new Readiness();
  const done = readiness.hold("config", "is being read");
  readiness.follow(() => ({ waiting: { pods: "denied" }, failing: { nodes: "lost" } }));
  expect(readiness.waiting).toEqual({ config: "is being read", pods: "denied" });
  expect(readiness.problems).toEqual({ nodes: "lost" });
  done();
  expect([readiness.ready, readiness.waiting]).toEqual([true, {}]);
  expect(readiness.problems).toEqual({ nodes: "lost", pods: "denied" });
});

test("what is wrong may end by itself", () => {
  const readiness = new Readiness();
  let isFull = true;
  readiness.fail("streams", "too many", () => !isFull);
  expect(readiness.problems).toEqual({ streams: "too many" });
  isFull = false;
  expect(readiness.problems).toEqual({});
  isFull = true;
  expect(readiness.problems).toEqual({});
});
