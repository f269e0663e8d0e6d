import { access } from "node:fs/promises";
import { join } from "node:path";
import { images as imageNames, imageTag } from "../images/build-images.ts";
import { OpenImage } from "../images/storage.ts";
import { runHelm } from "../peers/helm.ts";
import { http } from "../peers/http.ts";
import { chartFolder, createNamespace, setValues } from "../peers/keelson-chart.ts";
import { type KubeApiserver, startKubeApiserver } from "../peers/kube-apiserver.ts";
import { peerRunFolder } from "../peers/peer-process.ts";
import { makeCgroup, removeCgroup } from "../world/cgroups.ts";
import { command } from "../world/command.ts";
import { ensureCgroup2 } from "../world/mounts.ts";
import { until } from "../world/until.ts";
import { applierProgram } from "../world/workspace.ts";
import { Caller, startTwoServices } from "./calls.ts";
import { awaitPod, giveRoot, makePod, reportPhase } from "./cluster-objects.ts";
import { NodeRunner, type PodObject } from "./node-runner.ts";

const namespace = "istio-system";
const node = "keelson-test-node";

/** Where the agent pins its programs. */
const pins = `/sys/fs/bpf/keelson/${node}`;

/** The chart as docs/install.md says it, from nothing to nothing. @throws Error with what went wrong */
export async function runInstallation(say: (line: string) => void): Promise<void> {
  await using open = new AsyncDisposableStack();
  const apiserver = open.adopt(await startKubeApiserver(), (server) => server.stop());
  const folder = await peerRunFolder("node");
  const cgroup = join(await ensureCgroup2(), `keelson-install-${process.pid}`);
  await makeCgroup(cgroup);
  open.defer(() => removeCgroup(cgroup));
  // Programs outlive a run that fails.
  open.defer(
    async () => void (await command(process.execPath, [applierProgram, "--node", node, "uninstall"])),
  );
  const images = new Map<string, OpenImage>();
  for (const name of imageNames) images.set(imageTag(name), open.use(await OpenImage.open(imageTag(name))));
  const services = [`istiod.${namespace}.svc`];
  const runner = new NodeRunner({ apiserver, node, images, services });

  await createNamespace(apiserver, namespace);
  await apiserver.apply({ apiVersion: "v1", kind: "Node", metadata: { name: node } });
  await giveRoot(apiserver, namespace, folder);
  const helm = helmFor(apiserver);
  await helm("install", "keelson", chartFolder, ...(await values(folder, cgroup)));
  say("helm install: done");

  const pilotPod = await makePod(apiserver, namespace, "deployment/istiod", node);
  const pilot = open.adopt(await runner.start(pilotPod), (pod) => pod.process.stop());
  await pilot.ready();
  await reportPhase(apiserver, pilotPod, "Running");
  const { body } = await http({ host: "127.0.0.1", port: 8080, path: "/ready" });
  say(`the control plane is ready: ${body.trim()}`);

  const test = awaitPod(apiserver, namespace, "istiod-test").then((pod) => runToEnd(apiserver, runner, pod));
  await helm("test", "keelson", "--timeout=60s");
  say(`helm test: passed; its pod ended with ${await test}`);

  const applierPod = await makePod(apiserver, namespace, "daemonset/bpf-applier", node);
  const applier = open.adopt(await runner.start(applierPod), (pod) => pod.process.stop());
  const socketPath = join(folder, "run", `${node}.sock`);
  const isConnected = async () => {
    await applier.process.process.assertAlive();
    const { body: status } = await http({ socketPath, path: "/status" });
    return (JSON.parse(status) as { connected: boolean }).connected;
  };
  await until(isConnected, { what: "the agent to be connected", timeoutMs: 30_000, everyMs: 100 });
  say("the node's agent is connected, over TLS and by its token");

  await using servers = await startTwoServices(apiserver);
  const caller = new Caller(cgroup);
  await caller.untilAnswered("first");
  await servers.sendCallsToTheOther();
  await caller.untilAnswered("second");
  say("kubectl apply of a Service is reached at its address, and of a rule moves calls to another");

  say(`bpf-applier uninstall: ${await runUninstall(runner, applierPod)}`);
  await applier.process.stop();
  const isLeft = await access(pins).then(
    () => true,
    () => false,
  );
  if (isLeft) throw new Error(`${pins} is left`);
  await helm("uninstall", "keelson");
  say("helm uninstall: done");
}

const helmFor =
  ({ kubeconfig }: KubeApiserver) =>
  async (...args: readonly string[]): Promise<void> => {
    const { code, stdout, stderr } = await runHelm([...args, `--namespace=${namespace}`], { kubeconfig });
    if (code !== 0) throw new Error(`helm ${args[0]} ended with ${code}: ${stderr || stdout}`);
  };

async function values(folder: string, cgroup: string): Promise<string[]> {
  return setValues({
    "global.tag": "latest",
    "pilot.image": imageTag("pilot"),
    "bpfApplier.image": imageTag("bpf-applier"),
    "bpfApplier.hostPaths.cgroup": cgroup,
    "bpfApplier.hostPaths.state": join(folder, "state"),
    "bpfApplier.hostPaths.run": join(folder, "run"),
  });
}

async function runToEnd(apiserver: KubeApiserver, runner: NodeRunner, pod: PodObject): Promise<string> {
  const running = await runner.start(pod);
  const how = await running.ended();
  await reportPhase(apiserver, pod, how === "code 0" ? "Succeeded" : "Failed");
  if (how !== "code 0") throw new Error(`${pod.metadata.name}: ${await running.process.process.lastLines()}`);
  await running.process.stop();
  return how;
}

/** What `kubectl exec … bpf-applier uninstall` does: in the pod's place, with its rights. */
async function runUninstall(runner: NodeRunner, pod: PodObject): Promise<string> {
  const running = await runner.start(pod, ["uninstall"]);
  const how = await running.ended();
  const said = await running.process.process.lastLines();
  await running.process.stop();
  if (how !== "code 0") throw new Error(`bpf-applier uninstall ended with ${how}: ${said}`);
  return said;
}
