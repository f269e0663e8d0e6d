// npm run e2e -- kubernetes [OBJECTS]: what goes wrong between a real API server and us, in full size. Meanwhile calls of a
// kernel's node and of an Envoy go on, and none fails. After each fault what we hold must be what the API server holds,
// object by object, and a new rule must move the calls.
import { KubernetesSource, loadKubeConfig } from "@keelson/sources";
import { SteadyTraffic, untilAllSpread } from "../mixed/moved-traffic.ts";
import { prepareForIstio } from "../peers/istio-objects.ts";
import { startKubeApiserver } from "../peers/kube-apiserver.ts";
import { missingPeers } from "../peers/peer-cache.ts";
import { missingForKernel } from "../world/requirements.ts";
import { CuttableProxy } from "./cuttable-proxy.ts";
import { type FaultWorld, faults } from "./faults.ts";
import { KubeClient } from "./kube-client.ts";
import { ReviewsCluster, sendAllTo, versions } from "./reviews-cluster.ts";
import { untilSameAsServed } from "./same-as-served.ts";

const seconds = (since: number): string => `${((performance.now() - since) / 1000).toFixed(1)} s`;
const print = (line: string): void => void process.stdout.write(`${line}\n`);

async function run(objects: number): Promise<void> {
  await using open = new AsyncDisposableStack();
  const apiserver = open.adopt(await startKubeApiserver(), (server) => server.stop());
  await prepareForIstio(apiserver);
  const proxy = open.adopt(await CuttableProxy.start(apiserver.port), (one) => one.close());
  const kubeconfig = await apiserver.kubeconfigBy(proxy.port);
  const config = await loadKubeConfig(kubeconfig);
  const source = open.adopt(new KubernetesSource({ config, revision: "default" }), (one) => one.close());
  await source.start();
  const client = open.adopt(await KubeClient.of(apiserver.kubeconfig), (one) => one.close());
  const cluster = open.use(await ReviewsCluster.open("faults", apiserver, "EndpointSlice", { kubeconfig }));
  await apiserver.apply(...sendAllTo("v1"));
  await cluster.world.startControlPlane();
  await cluster.callers.startApplier();
  await cluster.callers.startEnvoy();
  await cluster.callers.startProxyless();
  await untilAllSpread(cluster.callers, { v1: 1 });

  const world = { apiserver, proxy, client, source };
  for (const [index, name] of Object.keys(faults).entries())
    await endure(name, world, cluster, { objects, version: versions[(index + 1) % versions.length] ?? "" });
}

/** @param next how many objects are made, and to which version all calls go afterwards */
async function endure(
  name: string,
  world: FaultWorld,
  { callers }: ReviewsCluster,
  next: { readonly objects: number; readonly version: string },
): Promise<void> {
  const traffic = new SteadyTraffic(callers, ["kernel", "envoy"]);
  const begin = performance.now();
  await faults[name]?.(world, next.objects);
  const over = performance.now();
  await untilSameAsServed(world.source, world.apiserver.kubeconfig, world.client);
  const same = `${world.source.snapshot.objects.length} objects are the same`;
  print(`${name}: ${same}; took ${seconds(begin)}, the same ${seconds(over)} after it`);
  print(`  no call has failed: ${await traffic.stop()}`);
  const applied = performance.now();
  await world.apiserver.apply(...sendAllTo(next.version));
  await untilAllSpread(callers, { [next.version]: 1 });
  print(`  a rule sends all calls to ${next.version}: seen of all three ${seconds(applied)} later`);
}

async function main(argument = "10000"): Promise<number> {
  const objects = Number(argument);
  const wrong =
    Number.isInteger(objects) && objects >= 100
      ? ((await missingForKernel())[0] ??
        (await missingPeers("etcd", "kube-apiserver", "kubectl", "istiod", "envoy", "grpc-go")))
      : `usage: npm run e2e -- kubernetes [OBJECTS], 100 or more; found "${argument}"`;
  if (wrong === undefined) {
    await run(objects);
    return 0;
  }
  process.stderr.write(`${wrong}\n`);
  return 2;
}

process.exitCode = await main(process.argv[2]);
