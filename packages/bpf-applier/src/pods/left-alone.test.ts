import { fromJson } from "@bufbuild/protobuf";
import { LeftAlone, WorkloadSchema } from "@keelson/protos/policy";
import { expect, test } from "vitest";
import { whyLeftAlone } from "./left-alone.ts";

const excluded = new Set(["kube-system"]);

test.each<[string, LeftAlone, string | undefined]>([
  ["default", LeftAlone.UNSPECIFIED, undefined],
  ["kube-system", LeftAlone.UNSPECIFIED, "its namespace kube-system is excluded"],
  ["kube-system", LeftAlone.HOST_NETWORK, "its namespace kube-system is excluded"],
  ["default", LeftAlone.HOST_NETWORK, "it shares its node's network (hostNetwork)"],
  ["default", LeftAlone.OPTED_OUT, 'its label istio.io/dataplane-mode is "none"'],
  ["default", LeftAlone.NAMESPACE_OPTED_OUT, 'the label istio.io/dataplane-mode of its namespace is "none"'],
  ["default", LeftAlone.SIDECAR, "its sidecar decides its calls"],
])("a pod of %s with reason %i", (namespace, leftAlone, why) => {
  expect(whyLeftAlone({ namespace, leftAlone }, excluded)).toBe(why);
});

test("a reason of a newer control plane leaves a pod alone, too", () => {
  const { leftAlone } = fromJson(WorkloadSchema, { leftAlone: 99 });
  expect(whyLeftAlone({ namespace: "default", leftAlone }, excluded)).toBe("the control plane says so (99)");
});
