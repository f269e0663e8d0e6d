// What the control plane writes to a real API server.
import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, expect } from "vitest";
import { KubeClient } from "../kubernetes/kube-client.ts";
import type { PeerName } from "../peers/install/recipes.ts";
import { createNamespace } from "../peers/keelson-chart.ts";
import { type KubeApiserver, startKubeApiserver } from "../peers/kube-apiserver.ts";
import { missingPeers } from "../peers/peer-cache.ts";
import { peerTest } from "../peers/peer-test.ts";
import { type PilotDiscovery, startPilotDiscovery } from "../peers/pilot-discovery.ts";
import { until } from "../world/until.ts";

const peers: readonly PeerName[] = ["etcd", "kube-apiserver", "kubectl"];
const system = "istio-system";

let apiserver: KubeApiserver;
let client: KubeClient;
let pilot: PilotDiscovery;

beforeAll(async () => {
  if (await missingPeers(...peers)) return;
  apiserver = await startKubeApiserver({ users: [{ name: "reader", groups: [] }] });
  await createNamespace(apiserver, system);
  client = await KubeClient.of(apiserver.kubeconfig);
  pilot = await startPilotDiscovery({ args: [`--kubeconfig=${apiserver.kubeconfig}`] });
}, 300_000);

afterAll(async () => {
  await pilot?.stop();
  client?.close();
  await apiserver?.stop();
});

interface ConfigMap {
  readonly metadata: { readonly labels?: Readonly<Record<string, string>> };
  readonly data?: Readonly<Record<string, string>>;
}

const pathOf = (namespace: string): string => `/api/v1/namespaces/${namespace}/configmaps/istio-ca-root-cert`;

async function rootMap(namespace: string): Promise<ConfigMap | undefined> {
  const { status, text } = await client.get(pathOf(namespace));
  return status === 200 ? (JSON.parse(text) as ConfigMap) : undefined;
}

const rootOf = async (namespace: string): Promise<string | undefined> =>
  (await rootMap(namespace))?.data?.["root-cert.pem"];

const namespaces = "/api/v1/namespaces";
const namespace = (name: string): object => ({ metadata: { name } });

peerTest(peers, "the root stands in every namespace, but for those of nobody's workloads", async () => {
  await client.create(namespaces, namespace("local-path-storage"));
  await client.create(namespaces, namespace("shop"));
  await until(() => rootMap("shop"), { what: "the root in a new namespace" });
  const { data, metadata } = (await rootMap("kube-system")) ?? { metadata: {} };
  expect(data?.["root-cert.pem"]).toMatch(/^-----BEGIN CERTIFICATE-----\n/);
  expect(metadata.labels).toEqual({ "istio.io/config": "true" });
  for (const name of ["default", system, "shop"]) expect(await rootOf(name)).toBe(data?.["root-cert.pem"]);
  for (const name of ["kube-public", "kube-node-lease", "local-path-storage"])
    expect(await rootMap(name)).toBeUndefined();
});

peerTest(peers, "it comes back when it is deleted or changed; what else stands there stays", async () => {
  const root = await rootOf("shop");
  await client.remove(pathOf("shop"));
  await until(async () => (await rootOf("shop")) === root, { what: "the ConfigMap to come back" });
  await client.patch(pathOf("shop"), {
    metadata: { labels: { "istio.io/config": null, team: "a" } },
    data: { "root-cert.pem": "another", note: "mine" },
  });
  await until(async () => (await rootOf("shop")) === root, { what: "the root to come back" });
  const { metadata, data } = (await rootMap("shop")) ?? { metadata: {} };
  expect(metadata.labels).toEqual({ "istio.io/config": "true", team: "a" });
  expect(data).toEqual({ "root-cert.pem": root, note: "mine" });
});

peerTest(peers, "it is written under istiod's lock, which is given back at the end", async () => {
  const path = `/api/v1/namespaces/${system}/configmaps/istio-namespace-controller-election`;
  const holder = async (): Promise<string | undefined> => {
    const { text } = await client.get(path);
    const { metadata } = JSON.parse(text) as {
      metadata: { annotations: Readonly<Record<string, string>> };
    };
    const record = metadata.annotations["control-plane.alpha.kubernetes.io/leader"] ?? "{}";
    return (JSON.parse(record) as { holderIdentity?: string }).holderIdentity;
  };
  expect(await holder()).toBe("istiod-test");
  expect((await pilot.get("/metrics")).body).toContain(
    'keelson_leader{lock="istio-namespace-controller-election"} 1',
  );
  await pilot.stop();
  expect(await holder()).toBe("");
});

peerTest(peers, "what the account may not write is said once, and the rest goes on", async () => {
  await apiserver.apply(
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
  const kubeconfig = await apiserver.kubeconfigOf("reader");
  const reader = await startPilotDiscovery({ args: [`--kubeconfig=${kubeconfig}`] });
  const refused = 'keelson_kubernetes_refused{what="lock istio-namespace-controller-election"} 1';
  await until(async () => (await reader.get("/metrics")).body.includes(refused), { what: "the refusal" });
  expect((await reader.get("/ready")).status).toBe(200);
  const lines = (await readFile(reader.process.logFile, "utf8"))
    .split("\n")
    .filter((line) => line.includes("may not do this"));
  expect(lines).toHaveLength(1);
  expect(lines[0]).toContain('cannot get resource \\"configmaps\\"');
  await reader.stop();
});
