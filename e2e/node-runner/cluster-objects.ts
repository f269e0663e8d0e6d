import type { KubeApiserver } from "../peers/kube-apiserver.ts";
import { until } from "../world/until.ts";
import type { PodObject } from "./node-runner.ts";

// What stands in for the controllers that a cluster has.

interface Workload {
  readonly spec: {
    readonly template: { readonly metadata: { readonly labels: object }; readonly spec: object };
  };
}

/** The first pod of a Deployment or DaemonSet, on a node: what its controller and the scheduler would make, in place of the one before. */
export async function makePod(
  apiserver: KubeApiserver,
  namespace: string,
  workload: string,
  nodeName: string,
): Promise<PodObject> {
  const read = (what: string, ...options: readonly string[]) =>
    apiserver.kubectl(["get", what, `--namespace=${namespace}`, "--output=json", ...options]);
  const { template } = (JSON.parse(await read(workload)) as Workload).spec;
  const name = `${workload.replace(/^.*\//, "")}-0`;
  const { labels } = template.metadata;
  // Without a kubelet nobody else would let go of it.
  const remove = ["delete", `pod/${name}`, `--namespace=${namespace}`, "--ignore-not-found"];
  await apiserver.kubectl([...remove, "--force", "--grace-period=0"]);
  await apiserver.apply({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace, labels },
    spec: { ...template.spec, nodeName },
  });
  const { metadata } = JSON.parse(await read(`pod/${name}`)) as PodObject;
  // As the template says it, without what admission adds for a kubelet.
  return { metadata, spec: template.spec };
}

/** Waits for a pod that somebody else makes. */
export async function awaitPod(
  apiserver: KubeApiserver,
  namespace: string,
  name: string,
): Promise<PodObject> {
  return until(
    async () => {
      const ask = ["get", `pod/${name}`, `--namespace=${namespace}`, "--output=json", "--ignore-not-found"];
      const text = await apiserver.kubectl(ask);
      return text === "" ? undefined : (JSON.parse(text) as PodObject);
    },
    { what: `pod ${name} to be made`, everyMs: 200 },
  );
}

/** Says of a pod what a kubelet would. */
export async function reportPhase(
  apiserver: KubeApiserver,
  { metadata: { name, namespace } }: PodObject,
  phase: "Running" | "Succeeded" | "Failed",
): Promise<void> {
  const patch = JSON.stringify({ status: { phase } });
  const where = [`pod/${name}`, `--namespace=${namespace}`, "--subresource=status", "--type=merge"];
  await apiserver.kubectl(["patch", ...where, `--patch=${patch}`]);
}
