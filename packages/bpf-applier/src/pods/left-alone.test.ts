import { LeftAlone } from "@keelson/protos/policy";
import { expect, test } from "vitest";
import { whyLeftAlone } from "./left-alone.ts";

const excluded = new Set(["kube-system"]);

test.each<[string, LeftAlone, string | undefined]>([
  ["default", LeftAlone.UNSPECIFIED, undefined],
  ["kube-system", LeftAlone.UNSPECIFIED, "its namespace kube-system is excluded"],
  ["kube-system", LeftAlone.HOST_NETWORK, "its namespace kube-system is excluded"],
  ["default", LeftAlone.HOST_NETWORK, "it shares its node's network (hostNetwork)"],
  ["default", LeftAlone.OPTED_OUT, 'its label istio.io/dataplane-mode is "none"'],
  ["default", LeftAlone.SIDECAR, "its sidecar decides its calls"],
  ["default", 99 as LeftAlone, "the control plane says so (99)"],
])("a pod of %s with reason %i", (namespace, leftAlone, why) => {
  expect(whyLeftAlone({ namespace, leftAlone }, excluded)).toBe(why);
});
