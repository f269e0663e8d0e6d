import { expect, test } from "vitest";
import { ObjectSet } from "./objects.ts";
import { type PodFields, pod, read } from "./testing/manifests.ts";
import { WorkloadMap } from "./workload-map.ts";

/** A map that follows lists of pods. */
function following() {
  const objects = new ObjectSet();
  const map = new WorkloadMap();
  return (...pods: PodFields[]) => {
    objects.update(read(...pods.map(pod)));
    return map.update(objects);
  };
}

const withReadiness = (status: "True" | "False"): PodFields => ({
  status: { conditions: [{ type: "Ready", status }] },
});

test("a pod that becomes ready changes nothing of its workload", () => {
  const update = following();
  const before = update(withReadiness("False"), { name: "other" });
  expect(before.size).toBe(2);
  expect(update(withReadiness("True"), { name: "other" })).toBe(before);
});

test("of pods that change, come and go, only their own workloads do", () => {
  const update = following();
  const before = update({ name: "b" }, { name: "c" }, { name: "d" });
  const after = update({ name: "a" }, { name: "b", ip: "10.1.0.9" }, { name: "c" });
  expect([...after.keys()]).toEqual(["default/a", "default/b", "default/c"]);
  expect(after.get("default/b")).not.toEqual(before.get("default/b"));
  expect(after.get("default/c")).toBe(before.get("default/c"));
});

test("a pod that is done, and one that runs nowhere yet, has no workload", () => {
  const update = following();
  expect([...update({ node: "" }).keys()]).toEqual([]);
  expect([...update({}).keys()]).toEqual(["default/reviews-v1"]);
  expect([...update({ status: { phase: "Succeeded" } }).keys()]).toEqual([]);
});
