// What the control plane writes to a real API server, with the rights that the chart gives it.
import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { injectionTests } from "../kubernetes/written/injection.ts";
import { lockTests } from "../kubernetes/written/locks.ts";
import { rootMapTests } from "../kubernetes/written/root-maps.ts";
import { statusTests } from "../kubernetes/written/status.ts";
import { validationTests } from "../kubernetes/written/validation.ts";
import { writingPeers as peers, WritingWorld } from "../kubernetes/written/writing-world.ts";
import { missingPeers } from "../peers/peer-cache.ts";
import { peerTest } from "../peers/peer-test.ts";
import { startPilotDiscovery } from "../peers/pilot-discovery.ts";
import { until } from "../world/until.ts";

const system = "istio-system";

let world: WritingWorld;

beforeAll(async () => {
  if (await missingPeers(...peers)) return;
  world = await WritingWorld.start();
}, 300_000);

afterAll(() => world?.stop());

describe("the root", () => rootMapTests(() => world));
describe("validation", () => validationTests(() => world));
describe("injection", () => injectionTests(() => world));
statusTests(() => world);
describe("locks", () => lockTests(() => world));

peerTest(peers, "for all that the chart's rights suffice", async () => {
  const { body } = await world.pilot.get("/metrics");
  for (const what of [
    "ConfigMap istio-ca-root-cert",
    "ValidatingWebhookConfiguration",
    "status of httproutes",
  ])
    expect(body).toContain(`keelson_kubernetes_writes_total{what="${what}",outcome="written"}`);
  expect(body).not.toMatch(/^keelson_kubernetes_refused\{/m);
  expect(await readFile(world.pilot.process.logFile, "utf8")).not.toContain("may not");
});

peerTest(peers, "the root is written under istiod's lock, which is given back at the end", async () => {
  const path = `/api/v1/namespaces/${system}/configmaps/istio-namespace-controller-election`;
  const holder = async (): Promise<string | undefined> => {
    const { text } = await world.client.get(path);
    const { metadata } = JSON.parse(text) as {
      metadata: { annotations: Readonly<Record<string, string>> };
    };
    const record = metadata.annotations["control-plane.alpha.kubernetes.io/leader"] ?? "{}";
    return (JSON.parse(record) as { holderIdentity?: string }).holderIdentity;
  };
  expect(await holder()).toBe("istiod-test");
  expect((await world.pilot.get("/metrics")).body).toContain(
    'keelson_leader{lock="istio-namespace-controller-election"} 1',
  );
  await world.pilot.stop();
  expect(await holder()).toBe("");
});

peerTest(peers, "what the account may not write is said once, and the rest goes on", async () => {
  await world.apiserver.apply(
    {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "ClusterRole",
      metadata: { name: "reader" },
      rules: [
        { apiGroups: ["*"], resources: ["*"], verbs: ["list", "watch"] },
        // Without its root there would be nothing to write.
        { apiGroups: [""], resources: ["secrets"], verbs: ["get"] },
      ],
    },
    {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "ClusterRoleBinding",
      metadata: { name: "reader" },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "reader" },
      subjects: [{ kind: "User", name: "reader", apiGroup: "rbac.authorization.k8s.io" }],
    },
  );
  const kubeconfig = await world.apiserver.kubeconfigOf("reader");
  const reader = await startPilotDiscovery({ args: [`--kubeconfig=${kubeconfig}`] });
  const refused = 'keelson_kubernetes_refused{what="lock istio-namespace-controller-election"} 1';
  await until(async () => (await reader.get("/metrics")).body.includes(refused), { what: "the refusal" });
  expect((await reader.get("/ready")).status).toBe(200);
  const lines = (await readFile(reader.process.logFile, "utf8"))
    .split("\n")
    .filter((line) => line.includes("may not do this") && line.includes("namespace-controller-election"));
  expect(lines).toHaveLength(1);
  expect(lines[0]).toContain('cannot get resource \\"configmaps\\"');
  await reader.stop();
});
