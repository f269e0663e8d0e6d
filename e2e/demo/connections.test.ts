import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { type Edge, EdgeSchema } from "@keelson/protos/telemetry";
import { expect, test } from "vitest";
import { added, connectionsOf } from "./connections.ts";

const edge = (fields: MessageInitShape<typeof EdgeSchema>): Edge =>
  create(EdgeSchema, {
    source: "default/productpage-v1",
    service: "reviews.default.svc.cluster.local",
    workload: "default/reviews-v1",
    ...fields,
  });

test("address families are summed; callers and endpoints that are no pods are left out", () => {
  const edges = [
    edge({ endpoint: "10.244.0.3:9080", connections: 2n }),
    edge({ endpoint: "[fd00:10:244::3]:9080", connections: 3n }),
    edge({ source: "", connections: 7n }),
    edge({ workload: "", endpoint: "", refused: 4n }),
  ];
  expect(connectionsOf(edges)).toEqual([
    { from: "productpage-v1", to: "reviews-v1", service: "reviews", count: 5 },
  ]);
});

test("where the node decides each request, requests count, of whichever status", () => {
  const edges = [
    edge({ workload: "", connections: 3n }),
    edge({ connections: 1n, requests: { 2: 4n, 5: 1n } }),
  ];
  expect(connectionsOf(edges).map(({ count }) => count)).toEqual([6]);
});

test("what was added between two readings, new pairs and still ones included", () => {
  const one = { from: "a", to: "b", service: "s", count: 5 };
  const two = { ...one, to: "c" };
  expect(added([one], [{ ...one, count: 9 }, two])).toEqual([{ ...one, count: 4 }, two]);
  expect(added([one], [one])).toEqual([{ ...one, count: 0 }]);
});
