import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { parseAllDocuments } from "yaml";
import { imageTag } from "../images/build-images.ts";
import { OpenImage } from "../images/storage.ts";
import { http } from "../peers/http.ts";
import { createNamespace } from "../peers/keelson-chart.ts";
import { type KubeApiserver, startKubeApiserver } from "../peers/kube-apiserver.ts";
import { until } from "../world/until.ts";
import { makePod } from "./cluster-objects.ts";
import { changes, lift, type Manifest } from "./lift.ts";
import { NodeRunner } from "./node-runner.ts";

const namespace = "istio-system";

/** Istio's published manifest; it stands beside a checkout, not in it. */
const published = resolve(import.meta.dirname, "../../../shared/fixtures/istio-0.2.12/istio.yaml");

/** Istio 0.2.12 with only Pilot's image changed, lifted to APIs that a server of today has. @throws Error with what went wrong */
export async function runPilotSwap(say: (line: string) => void): Promise<void> {
  if (!existsSync(published)) {
    say(`left out: Istio 0.2.12's manifest is not at ${published}`);
    return;
  }
  await using open = new AsyncDisposableStack();
  const apiserver = open.adopt(await startKubeApiserver(), (server) => server.stop());
  const image = open.use(await OpenImage.open(imageTag("pilot")));
  const images = new Map([[imageTag("pilot"), image]]);
  const runner = new NodeRunner({ apiserver, node: "keelson-test-node", images, services: [] });

  const manifests = await swappedManifests();
  for (const line of changes(manifests)) say(`lifted: ${line}`);
  await createNamespace(apiserver, namespace);
  await applyInOrder(apiserver, manifests.map(lift));
  const pod = await makePod(apiserver, namespace, "deployment/istio-pilot", "keelson-test-node");
  const pilot = open.adopt(await runner.start(pod), (running) => running.process.stop());
  // Its manifest has no probe.
  const isReady = async () => (await ask("/ready")).status === 200;
  await pilot.process.ready(isReady, { everyMs: 200 });
  say(`with Istio 0.2.12's manifest, the control plane is ready: ${(await ask("/ready")).body.trim()}`);

  await apiserver.apply(...reviews);
  const key = "reviews.default.svc.cluster.local|http";
  const isRegistered = async () => (await ask("/v1/registration")).body.includes(key);
  await until(isRegistered, { what: `${key} to be registered`, everyMs: 200 });
  say("a Service and its core Endpoints are told by /v1/registration");
  await apiserver.apply(rule);
  const isRead = async () => (await ask("/debug/configz")).body.includes(rule.metadata.name);
  await until(isRead, { what: "the RouteRule to be read", everyMs: 200 });
  say("a RouteRule that is applied is read");
}

const ask = (path: string) => http({ host: "127.0.0.1", port: 8080, path });

/** As `sed` changes it. One Deployment has its apiVersion twice; the later one counts, as with kubectl of that time. */
async function swappedManifests(): Promise<Manifest[]> {
  const text = (await readFile(published, "utf8")).replaceAll(
    "docker.io/istio/pilot:0.2.12",
    imageTag("pilot"),
  );
  return parseAllDocuments(text, { uniqueKeys: false })
    .map((document) => document.toJS() as Manifest | null)
    .filter((manifest) => manifest !== null);
}

/** Objects of kinds that the manifest defines itself come when those are served. */
async function applyInOrder(apiserver: KubeApiserver, manifests: readonly Manifest[]): Promise<void> {
  const isLate = ({ apiVersion }: Manifest): boolean => apiVersion.startsWith("config.istio.io/");
  await apiserver.apply(...manifests.filter((manifest) => !isLate(manifest)));
  await apiserver.kubectl(["wait", "--for=condition=Established", "--timeout=60s", "crds", "--all"]);
  await apiserver.apply(...manifests.filter(isLate));
}

/** The old roles do not let Pilot read EndpointSlices, so it reads these. */
const reviews = [
  {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "reviews", namespace: "default" },
    spec: { ports: [{ name: "http", port: 9080 }] },
  },
  {
    apiVersion: "v1",
    kind: "Endpoints",
    metadata: { name: "reviews", namespace: "default" },
    subsets: [{ addresses: [{ ip: "10.1.0.1" }], ports: [{ name: "http", port: 9080 }] }],
  },
];

const rule = {
  apiVersion: "config.istio.io/v1alpha2",
  kind: "RouteRule",
  metadata: { name: "swapped", namespace: "default" },
  spec: { destination: { name: "reviews" }, precedence: 1, route: [{ labels: { version: "v1" } }] },
};
