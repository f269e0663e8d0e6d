import { join } from "node:path";
import { baseTag, imageTag } from "../images/build-images.ts";
import { OpenImage } from "../images/storage.ts";
import { ReviewsCluster } from "../kubernetes/reviews-cluster.ts";
import { untilServedUnder } from "../kubernetes/tls-root.ts";
import type { Callers } from "../mixed/callers.ts";
import { SteadyTraffic, untilAllSpread, untilSpread } from "../mixed/moved-traffic.ts";
import { helmIn } from "../peers/helm.ts";
import { http } from "../peers/http.ts";
import { forUpstreamEnvoy } from "../peers/istiod.ts";
import { createNamespace, setValues } from "../peers/keelson-chart.ts";
import { type KubeApiserver, startKubeApiserver } from "../peers/kube-apiserver.ts";
import { requirePeer } from "../peers/peer-cache.ts";
import { missedByIstiod } from "../peers/rights-of-istiod.ts";
import { until } from "../world/until.ts";
import { onlyTheImage } from "./changed-lines.ts";
import { insideWorld } from "./inside-world.ts";
import { NodeRunner } from "./node-runner.ts";
import { applyFile, missingPublished, published } from "./published.ts";
import { WorkloadPod } from "./workload-pod.ts";

const namespace = "istio-system";
const node = "keelson-test-node";

const files = {
  subsets: published("istio-latest", "networking/destination-rule-reviews.yaml"),
  allToV1: published("istio-latest", "networking/virtual-service-all-v1.yaml"),
  toV3: published("istio-latest", "networking/virtual-service-reviews-v3.yaml"),
};

/** What an Envoy can take that is not Istio's own and has no agent with certificates beside it. */
const chartValues = {
  "pilot.env": forUpstreamEnvoy,
  "meshConfig.enableAutoMtls": false,
  "telemetry.enabled": false,
};

/** The istiod that runs first, as its own project's image would. */
const istiodImage = "istio.test/pilot:today";

/**
 * Today's istiod from its own chart, with an Envoy and a gRPC client; then only the image is changed, as docs/install.md
 * says. @throws Error with what went wrong
 */
export async function runIstiodSwap(say: (line: string) => void): Promise<void> {
  const missing = missingPublished(...Object.values(files));
  if (missing !== undefined) return say(`left out: ${missing}, as Istio has published it, is not there`);
  await using open = new AsyncDisposableStack();
  const apiserver = open.adopt(await startKubeApiserver(), (server) => server.stop());
  const images = await openImages(open);
  const runner = new NodeRunner({ apiserver, node, images, services: [] });
  const workload = "deployment/istiod";
  const pilot = open.use(new WorkloadPod({ runner, apiserver, namespace, workload, node }));

  await createNamespace(apiserver, namespace);
  await installDefinitions(apiserver);
  const helm = helmIn(namespace, apiserver.kubeconfig);
  await helm(
    "install",
    ...(await istiodChart()),
    ...setValues({ "pilot.image": istiodImage, ...chartValues }),
  );
  // Its chart leaves out a field whenever it upgrades, whatever is changed.
  await helm("upgrade", ...(await istiodChart()), "--reuse-values");
  const before = await helm("get", "manifest", "istiod");
  const { callers } = open.use(await ReviewsCluster.open("istiod", apiserver, "EndpointSlice", insideWorld));
  await pilot.replace();
  const root = await rootOfIstiod(apiserver);
  await applyFile(apiserver, files.subsets);
  await applyFile(apiserver, files.allToV1);
  await callers.startEnvoy();
  await callers.startProxyless();
  for (const caller of ["envoy", "proxyless"] as const) await untilSpread(callers, caller, { v1: 1 });
  say("with a real istiod, all calls of an Envoy and of a gRPC client go to v1, as a VirtualService says");

  const traffic = new SteadyTraffic(callers, ["envoy", "proxyless"]);
  await helm(
    "upgrade",
    ...(await istiodChart()),
    "--reuse-values",
    ...setValues({ "pilot.image": imageTag("pilot") }),
  );
  say(`helm upgrade: ${onlyTheImage(before, await helm("get", "manifest", "istiod"))}`);
  await pilot.replace();
  const { body } = await ask("/ready");
  if (!body.includes('"problems":{}')) throw new Error(`with istiod's chart the control plane says ${body}`);
  say(`with istiod's chart, the control plane is ready: ${body.trim()}`);
  await untilServedUnder(root, 15_012, `istiod.${namespace}.svc`);
  say("its port 15012 is under the root that istiod has made");
  const connected = async () => JSON.parse((await ask("/debug/syncz")).body).length === 2;
  await until(connected, { what: "both proxies to come over from istiod", everyMs: 100 });
  say(`from istiod to ours no call has failed: ${await traffic.stop()}`);

  await moveAll(callers, apiserver, say);
  const missed = await missedWithRightsOfIstiod(apiserver);
  if (missed !== "") throw new Error(`istiod's roles do not give what is read: ${missed}`);
  say("istiod's roles give all that is read");
}

async function moveAll(
  callers: Callers,
  apiserver: KubeApiserver,
  say: (line: string) => void,
): Promise<void> {
  // Not of the gRPC client: grpc-go has the new routes choose a moment before their clusters are there.
  const moving = new SteadyTraffic(callers, ["envoy"]);
  await applyFile(apiserver, files.toV3);
  await untilSpread(callers, "envoy", { v3: 1 });
  say(`while a rule moves them no call has failed: ${await moving.stop()}`);
  await callers.startApplier();
  await untilAllSpread(callers, { v3: 1 });
  say("kubectl apply of virtual-service-reviews-v3.yaml moves all calls of all three to v3");
}

const ask = (path: string) => http({ host: "127.0.0.1", port: insideWorld.httpPort, path });

async function openImages(open: AsyncDisposableStack): Promise<ReadonlyMap<string, OpenImage>> {
  const { program } = await requirePeer("istiod");
  const config = { Entrypoint: ["/usr/local/bin/pilot-discovery"], User: "1337:1337" } as const;
  return new Map([
    [imageTag("pilot"), open.use(await OpenImage.open(imageTag("pilot")))],
    [istiodImage, open.use(await OpenImage.of(baseTag, program, config))],
  ]);
}

async function installDefinitions(apiserver: KubeApiserver): Promise<void> {
  const { folder } = await requirePeer("istiod");
  const definitions = join(folder, "charts/base/files/crd-all.gen.yaml");
  await apiserver.kubectl(["apply", "--server-side", "-f", definitions]);
}

/** PEM of what istiod makes and keeps. */
async function rootOfIstiod(apiserver: KubeApiserver): Promise<string> {
  const secret = ["get", "secret/istio-ca-secret", `--namespace=${namespace}`];
  const text = await apiserver.kubectl([...secret, "--output=jsonpath={.data.ca-cert\\.pem}"]);
  return Buffer.from(text, "base64").toString();
}

const istiodChart = async (): Promise<string[]> => [
  "istiod",
  join((await requirePeer("istiod")).folder, "charts/istio-control/istio-discovery"),
];

/** @returns what cannot be read with the rights that istiod's chart gives; empty for nothing. */
async function missedWithRightsOfIstiod(apiserver: KubeApiserver): Promise<string> {
  const { waiting, failing, problems } = await missedByIstiod(apiserver, namespace);
  const said = [...Object.values(waiting), ...Object.values(failing)];
  return [...said, ...problems.map(({ message }) => message)].join("; ");
}
