import type { KnownObject } from "@keelson/model";
import { expect, test } from "vitest";
import { project } from "./projection.ts";
import { pods, rawPod } from "./testing/raw-objects.ts";

function podOf(...args: Parameters<typeof rawPod>): Extract<KnownObject, { kind: "Pod" }> {
  const [made] = project({ kind: "Pod", revision: undefined }, pods, rawPod(...args));
  if (made?.object?.kind !== "Pod") throw new Error("the pod is no pod");
  return made.object;
}

test("pods of one deployment share what they have in common, and nothing else", () => {
  const [a, b] = [podOf({ name: "a" }), podOf({ name: "b" }, { podIPs: [{ ip: "10.1.0.2" }] })];
  expect(b.metadata.labels).toBe(a.metadata.labels);
  expect(b.body.spec.containers).toBe(a.body.spec.containers);
  expect(b.body.status.conditions).toBe(a.body.status.conditions);
  expect([b.metadata.name, b.body.status.podIP]).toEqual(["b", "10.1.0.2"]);
  const other = podOf({ labels: { app: "reviews", version: "v2" } });
  expect(other.metadata.labels).toEqual({ app: "reviews", version: "v2" });
});
