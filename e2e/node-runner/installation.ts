import { access } from "node:fs/promises";
import { join } from "node:path";
import { images as imageNames, imageTag } from "../images/build-images.ts";
import { OpenImage } from "../images/storage.ts";
import { ReviewsCluster, sendAllTo } from "../kubernetes/reviews-cluster.ts";
import { callerNames } from "../mixed/callers.ts";
import { SteadyTraffic, untilAllSpread } from "../mixed/moved-traffic.ts";
import { helmIn } from "../peers/helm.ts";
import { http } from "../peers/http.ts";
import { chartFolder, createNamespace, setValues } from "../peers/keelson-chart.ts";
import { type KubeApiserver, startKubeApiserver } from "../peers/kube-apiserver.ts";
import { peerRunFolder } from "../peers/peer-process.ts";
import { until } from "../world/until.ts";
import { awaitPod, reportPhase } from "./cluster-objects.ts";
import { insideWorld } from "./inside-world.ts";
import { NodeRunner, type PodObject } from "./node-runner.ts";
import { WorkloadPod } from "./workload-pod.ts";

const namespace = "istio-system";

/** Values that make other pods of both programs. */
const changed = { "pilot.env": { PILOT_DEBOUNCE_AFTER: "50ms" }, "bpfApplier.podLabels": { changed: "yes" } };

/** The chart as docs/install.md says it, from nothing to nothing, under calls. @throws Error with what went wrong */
export async function runInstallation(say: (line: string) => void): Promise<void> {
  await using open = new AsyncDisposableStack();
  const apiserver = open.adopt(await startKubeApiserver(), (server) => server.stop());
  await createNamespace(apiserver, namespace);
  const { world, callers } = open.use(
    await ReviewsCluster.open("chart", apiserver, "EndpointSlice", insideWorld),
  );
  const [node, cgroup] = [world.names.node(1), world.nodeCgroup(1)];
  await apiserver.apply({ apiVersion: "v1", kind: "Node", metadata: { name: node } });
  const images = new Map<string, OpenImage>();
  for (const name of imageNames) images.set(imageTag(name), open.use(await OpenImage.open(imageTag(name))));
  const runner = new NodeRunner({ apiserver, node, images, services: [`istiod.${namespace}.svc`] });
  const podOf = (workload: string) =>
    open.use(new WorkloadPod({ runner, apiserver, namespace, workload, node }));
  const [pilot, applier] = [podOf("deployment/istiod"), podOf("daemonset/bpf-applier")];
  const folder = await peerRunFolder("node");
  const helm = helmIn(namespace, apiserver.kubeconfig);

  await helm("install", "keelson", chartFolder, ...values(folder, cgroup));
  await pilot.replace();
  const { body } = await http({ host: "127.0.0.1", port: insideWorld.httpPort, path: "/ready" });
  say(`helm install: the control plane is ready: ${body.trim()}`);
  const test = awaitPod(apiserver, namespace, "istiod-test").then((pod) => runToEnd(apiserver, runner, pod));
  await helm("test", "keelson", "--timeout=60s");
  say(`helm test: passed; its pod ended with ${await test}`);

  const startApplier = async (): Promise<void> => {
    const { process } = await applier.replace();
    const socketPath = join(folder, "run", `${node}.sock`);
    const isConnected = async (): Promise<boolean> => {
      await process.process.assertAlive();
      const { body: status } = await http({ socketPath, path: "/status" });
      return (JSON.parse(status) as { connected: boolean }).connected;
    };
    await until(isConnected, { what: "the agent to be connected", timeoutMs: 60_000, everyMs: 100 });
  };
  await startApplier();
  say("the node's agent is connected, over TLS and by its token");

  await apiserver.apply(...sendAllTo("v1"));
  await callers.startEnvoy();
  await callers.startProxyless();
  await untilAllSpread(callers, { v1: 1 });
  say("all calls of the kernel's node, of an Envoy and of a gRPC client go to v1, as a rule says");
  const underCalls = async (what: string, version: string, change: () => Promise<unknown>): Promise<void> => {
    const traffic = new SteadyTraffic(callers, callerNames);
    await change();
    await pilot.replace();
    await startApplier();
    say(`${what}: no call has failed: ${await traffic.stop()}`);
    await apiserver.apply(...sendAllTo(version));
    await untilAllSpread(callers, { [version]: 1 });
    say(`a rule that is applied then moves all calls to ${version}`);
  };
  const upgrade = ["upgrade", "keelson", chartFolder, "--reset-then-reuse-values", ...setValues(changed)];
  await underCalls("helm upgrade and other pods of both", "v2", () => helm(...upgrade));
  await underCalls("helm rollback and other pods of both", "v3", () => helm("rollback", "keelson", "1"));

  say(`bpf-applier uninstall: ${await applier.run("uninstall")}`);
  await applier.stop();
  await assertGone(`/sys/fs/bpf/keelson/${node}`);
  await helm("uninstall", "keelson");
  say("helm uninstall: done");
}

const values = (folder: string, cgroup: string): string[] =>
  setValues({
    "global.tag": "latest",
    "pilot.image": imageTag("pilot"),
    "bpfApplier.image": imageTag("bpf-applier"),
    "bpfApplier.hostPaths.cgroup": cgroup,
    "bpfApplier.hostPaths.state": join(folder, "state"),
    "bpfApplier.hostPaths.run": join(folder, "run"),
  });

async function runToEnd(apiserver: KubeApiserver, runner: NodeRunner, pod: PodObject): Promise<string> {
  const running = await runner.start(pod);
  const how = await running.ended();
  await reportPhase(apiserver, pod, how === "code 0" ? "Succeeded" : "Failed");
  if (how !== "code 0") throw new Error(`${pod.metadata.name}: ${await running.process.process.lastLines()}`);
  await running.process.stop();
  return how;
}

async function assertGone(path: string): Promise<void> {
  const isLeft = await access(path).then(
    () => true,
    () => false,
  );
  if (isLeft) throw new Error(`${path} is left`);
}
