// The mesh's root in the Secret that istiod keeps it in: made once, shared, handed over, followed.
import { readFile } from "node:fs/promises";
import { makeRoot } from "@keelson/pilot/testing";
import { afterAll, beforeAll, expect } from "vitest";
import { KubeClient } from "../kubernetes/kube-client.ts";
import { isServedUnder, untilServedUnder } from "../kubernetes/tls-root.ts";
import type { PeerName } from "../peers/install/recipes.ts";
import { prepareForIstio } from "../peers/istio-objects.ts";
import { startIstiod } from "../peers/istiod.ts";
import { type KubeApiserver, startKubeApiserver } from "../peers/kube-apiserver.ts";
import { missingPeers } from "../peers/peer-cache.ts";
import { peerTest } from "../peers/peer-test.ts";
import { type PilotDiscovery, startPilotDiscovery } from "../peers/pilot-discovery.ts";
import { until } from "../world/until.ts";

const peers: readonly PeerName[] = ["etcd", "kube-apiserver", "kubectl", "istiod"];
const path = "/api/v1/namespaces/istio-system/secrets/istio-ca-secret";
const name = "istiod.istio-system.svc";

let apiserver: KubeApiserver;
let client: KubeClient;

beforeAll(async () => {
  if (await missingPeers(...peers)) return;
  apiserver = await startKubeApiserver();
  await prepareForIstio(apiserver);
  client = await KubeClient.of(apiserver.kubeconfig);
}, 300_000);

afterAll(async () => {
  client?.close();
  await apiserver?.stop();
});

interface Secret {
  readonly metadata: { readonly uid: string; readonly resourceVersion: string };
  readonly type: string;
  readonly data: Readonly<Record<string, string>>;
}

const secret = async (): Promise<Secret> => JSON.parse((await client.get(path)).text) as Secret;
const decode = (text = ""): string => Buffer.from(text, "base64").toString("utf8");
const encode = (text: string): string => Buffer.from(text, "utf8").toString("base64");
const kept = async (): Promise<string> => decode((await secret()).data["ca-cert.pem"]);

const start = (podName: string): Promise<PilotDiscovery> =>
  startPilotDiscovery({
    args: [`--kubeconfig=${apiserver.kubeconfig}`],
    environment: { POD_NAME: podName },
  });

peerTest(peers, "an istiod's root is kept by us, and ours by an istiod", async () => {
  const first = await startIstiod({ apiserver, mode: "secure" });
  const root = await kept();
  await first.stop();
  const before = await secret();
  const ours = await start("ours");
  expect(await isServedUnder(root, ours.ports.secureGrpc, name)).toBe(true);
  await ours.stop();
  // Whatever of it a program does not know stays as it was.
  expect(await secret()).toEqual(before);

  await client.remove(path);
  const second = await start("ours-again");
  const own = await kept();
  expect(own).not.toBe(root);
  await second.stop();
  const istiod = await startIstiod({ apiserver, mode: "secure" });
  expect(await isServedUnder(own, istiod.ports.secureGrpc ?? 0, name)).toBe(true);
  await istiod.stop();
  expect(await kept()).toBe(own);
});

peerTest(peers, "replicas that start together agree on one root, and follow it as it changes", async () => {
  await client.remove(path);
  const replicas = await Promise.all([start("istiod-a"), start("istiod-b")]);
  const made = await secret();
  expect(made.type).toBe("istio.io/ca-root");
  const keys = ["ca-cert.pem", "ca-key.pem", "cert-chain.pem", "key.pem", "root-cert.pem"];
  expect(Object.keys(made.data).sort()).toEqual(keys);
  const root = decode(made.data["root-cert.pem"]);
  expect(root).toBe(await kept());
  for (const { ports } of replicas) expect(await isServedUnder(root, ports.secureGrpc, name)).toBe(true);

  const other = await makeRoot("other");
  const data = { "ca-cert.pem": encode(other.certificate), "ca-key.pem": encode(other.key) };
  await client.patch(path, { data });
  for (const { ports } of replicas) await untilServedUnder(other.certificate, ports.secureGrpc, name);
  const map = "/api/v1/namespaces/default/configmaps/istio-ca-root-cert";
  const published = async (): Promise<string | undefined> =>
    (JSON.parse((await client.get(map)).text) as { data?: Record<string, string> }).data?.["root-cert.pem"];
  await until(async () => (await published()) === other.certificate, {
    what: "the other root in ConfigMaps",
  });

  // Who takes it away does not get another one under running workloads.
  await client.remove(path);
  const logs = async (): Promise<string[]> =>
    Promise.all(replicas.map(({ process }) => readFile(process.logFile, "utf8")));
  await until(async () => (await logs()).every((log) => log.includes("istio-ca-secret is gone")), {
    what: "the loss to be noticed",
  });
  for (const { ports } of replicas)
    expect(await isServedUnder(other.certificate, ports.secureGrpc, name)).toBe(true);
  expect((await client.get(path)).status).toBe(404);
  expect((await logs()).join("")).not.toContain("PRIVATE KEY");
  await Promise.all(replicas.map((replica) => replica.stop()));
});
