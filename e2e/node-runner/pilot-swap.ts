import { readFile } from "node:fs/promises";
import { parseAllDocuments } from "yaml";
import { imageTag } from "../images/build-images.ts";
import { OpenImage } from "../images/storage.ts";
import { ReviewsCluster } from "../kubernetes/reviews-cluster.ts";
import { untilAllSpread } from "../mixed/moved-traffic.ts";
import { http } from "../peers/http.ts";
import { createNamespace } from "../peers/keelson-chart.ts";
import { type KubeApiserver, startKubeApiserver } from "../peers/kube-apiserver.ts";
import { until } from "../world/until.ts";
import { onlyTheImage } from "./changed-lines.ts";
import { makePod } from "./cluster-objects.ts";
import { insideWorld } from "./inside-world.ts";
import { changes, lift, type Manifest } from "./lift.ts";
import { NodeRunner } from "./node-runner.ts";
import { applyFile, missingPublished, published } from "./published.ts";

const namespace = "istio-system";
const node = "keelson-test-node";

const files = {
  manifest: published("istio-0.2.12", "istio.yaml"),
  allToV1: published("istio-0.2.12", "route-rule-all-v1.yaml"),
  halfToV3: published("istio-0.2.12", "route-rule-reviews-50-v3.yaml"),
};

/**
 * Istio 0.2.12 with only Pilot's image changed, lifted to APIs that a server of today has: rules that were there before
 * count, and one that is applied moves traffic. Envoys that speak that age's REST are to be had from no registry, so
 * today's stands in for them, over ADS; what one of that age would be told is looked at.
 * @throws Error with what went wrong
 */
export async function runPilotSwap(say: (line: string) => void): Promise<void> {
  const missing = missingPublished(...Object.values(files));
  if (missing !== undefined) return say(`left out: ${missing}, as Istio has published it, is not there`);
  await using open = new AsyncDisposableStack();
  const apiserver = open.adopt(await startKubeApiserver(), (server) => server.stop());
  const image = open.use(await OpenImage.open(imageTag("pilot")));
  const runner = new NodeRunner({
    apiserver,
    node,
    images: new Map([[imageTag("pilot"), image]]),
    services: [],
  });

  const before = await readFile(files.manifest, "utf8");
  await createNamespace(apiserver, namespace);
  await applyLifted(apiserver, before);
  const { world, callers } = open.use(
    await ReviewsCluster.open("pilot", apiserver, "Endpoints", insideWorld),
  );
  await applyFile(apiserver, files.allToV1);
  say("Istio 0.2.12's manifest is applied, and rules that send all calls to v1");

  const after = before.replaceAll("docker.io/istio/pilot:0.2.12", imageTag("pilot"));
  say(`sed: ${onlyTheImage(before, after)}`);
  for (const line of changes(manifestsOf(after))) say(`lifted: ${line}`);
  await applyLifted(apiserver, after);
  const pod = await makePod(apiserver, namespace, "deployment/istio-pilot", node);
  const pilot = open.adopt(await runner.start(pod), (running) => running.process.stop());
  // Its manifest has no probe.
  const isReady = async () => (await ask("/ready")).status === 200;
  await pilot.process.ready(isReady, { everyMs: 200 });
  say(`with Istio 0.2.12's manifest, the control plane is ready: ${(await ask("/ready")).body.trim()}`);

  const key = "reviews.default.svc.cluster.local|http";
  const isRegistered = async () => (await ask("/v1/registration")).body.includes(key);
  await until(isRegistered, { what: `${key} to be registered`, everyMs: 200 });
  say("a Service and its core Endpoints are told by /v1/registration");

  await callers.startApplier();
  await callers.startEnvoy();
  await callers.startProxyless();
  await untilAllSpread(callers, { v1: 1 });
  say(
    "rules of before count: all calls of the kernel's node, of an Envoy (over ADS) and of a gRPC client go to v1",
  );
  await applyFile(apiserver, files.halfToV3);
  await untilAllSpread(callers, { v1: 0.5, v3: 0.5 });
  say("kubectl apply of route-rule-reviews-50-v3.yaml moves half of the calls of all three to v3");

  const caller = world.pod("caller-envoy");
  const path = `/v1/routes/9080/caller/sidecar~${caller.ipv4}~${caller.name}.default~default.svc.cluster.local`;
  say(`an Envoy of that age is told weights of reviews: ${weightsIn((await ask(path)).body)}`);
}

const ask = (path: string) => http({ host: "127.0.0.1", port: insideWorld.httpPort, path });

/** Weights of the service's port in an answer of v1's RDS: "50, 50". @throws Error if it has none */
function weightsIn(body: string): string {
  const { virtual_hosts: hosts } = JSON.parse(body) as RouteConfiguration;
  const found = hosts.find(({ name }) => name === "reviews.default.svc.cluster.local|http");
  const weights = found?.routes.flatMap(({ weighted_clusters: all }) => all?.clusters ?? []) ?? [];
  if (weights.length === 0) throw new Error(`there are no weights for reviews: ${body}`);
  return weights.map(({ weight }) => weight).join(", ");
}

interface RouteConfiguration {
  readonly virtual_hosts: readonly {
    readonly name: string;
    readonly routes: readonly {
      readonly weighted_clusters?: { readonly clusters: readonly { readonly weight: number }[] };
    }[];
  }[];
}

/** One Deployment has its apiVersion twice; the later one counts, as with kubectl of that time. */
const manifestsOf = (text: string): Manifest[] =>
  parseAllDocuments(text, { uniqueKeys: false })
    .map((document) => document.toJS() as Manifest | null)
    .filter((manifest) => manifest !== null);

/** Objects of kinds that the manifest defines itself come when those are served. */
async function applyLifted(apiserver: KubeApiserver, text: string): Promise<void> {
  const manifests = manifestsOf(text).map(lift);
  const isLate = ({ apiVersion }: Manifest): boolean => apiVersion.startsWith("config.istio.io/");
  await apiserver.apply(...manifests.filter((manifest) => !isLate(manifest)));
  await apiserver.kubectl(["wait", "--for=condition=Established", "--timeout=60s", "crds", "--all"]);
  await apiserver.apply(...manifests.filter(isLate));
}
