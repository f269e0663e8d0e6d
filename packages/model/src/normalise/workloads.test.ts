import { expect, test } from "vitest";
import { formatAddress } from "../address.ts";
import { type PodFields, pod, readAs } from "../testing/manifests.ts";
import { workloadOf } from "./workloads.ts";

const normalise = (fields: PodFields) => workloadOf(readAs("Pod", pod(fields)));

test("a running pod is a workload of its node", () => {
  expect(normalise({ spec: { serviceAccountName: "reviewer" } })).toEqual({
    name: "default/reviews-v1",
    namespace: "default",
    addresses: [Uint8Array.of(10, 1, 0, 1)],
    node: "node-a",
    serviceAccount: "reviewer",
    uid: "uid-reviews-v1",
    labels: { app: "reviews", version: "v1" },
    probePorts: [],
  });
});

test("ports that the kubelet's probes look at are known by number and by name, each once, sorted", () => {
  const containers = [
    {
      ports: [{ name: "health", containerPort: 9999 }],
      livenessProbe: { tcpSocket: { port: "health" } },
      readinessProbe: { httpGet: { port: 3333, path: "/" } },
    },
    { livenessProbe: { httpGet: { port: 3333 } }, readinessProbe: { exec: { command: ["true"] } } },
    { livenessProbe: { httpGet: { port: "nobody-has-it" } } },
  ];
  expect(normalise({ spec: { containers } })?.probePorts).toEqual([3333, 9999]);
});

test.each<[string, PodFields]>([
  ["succeeded", { status: { phase: "Succeeded" } }],
  ["failed", { status: { phase: "Failed" } }],
  ["runs nowhere yet", { node: "" }],
])("a pod that %s is none", (_, fields) => {
  expect(normalise(fields)).toBeUndefined();
});

const injected = { "sidecar.istio.io/status": "injected" };

test.each<[string, PodFields, string | undefined]>([
  ["shares its node's network", { spec: { hostNetwork: true }, annotations: injected }, "host network"],
  ["is labelled so", { labels: { "istio.io/dataplane-mode": "none" } }, "opted out"],
  ["has a sidecar", { annotations: injected }, "sidecar"],
  ["is labelled otherwise", { labels: { "istio.io/dataplane-mode": "ambient" } }, undefined],
])("a pod that %s is left alone, or not", (_, fields, why) => {
  expect(normalise(fields)?.leftAlone).toBe(why);
});

test("addresses of a node are not those of its pods", () => {
  expect(normalise({ spec: { hostNetwork: true } })?.addresses).toEqual([]);
});

test("a static pod is known by the uid that its kubelet has given it", () => {
  const annotations = { "kubernetes.io/config.mirror": "0b8a3f6c2d1e4f509a7b6c5d4e3f2a1b" };
  expect(normalise({ annotations })?.uid).toBe("0b8a3f6c2d1e4f509a7b6c5d4e3f2a1b");
});

const addressesOf = (status: NonNullable<PodFields["status"]>) =>
  normalise({ status })?.addresses.map(formatAddress);

test("a dual-stack pod has both addresses, an older API's only one, and a pod that starts has none", () => {
  expect(addressesOf({ podIPs: [{ ip: "10.1.0.1" }, { ip: "fd00::1" }] })).toEqual(["10.1.0.1", "fd00::1"]);
  expect(addressesOf({ podIPs: undefined })).toEqual(["10.1.0.1"]);
  expect(addressesOf({ podIP: undefined, podIPs: undefined, phase: "Pending" })).toEqual([]);
});

test("a pod with an empty spec and status is read", () => {
  expect(workloadOf(readAs("Pod", { ...pod(), spec: {}, status: {} }))).toBeUndefined();
});
