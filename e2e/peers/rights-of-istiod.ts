import { KubernetesSource, loadKubeConfig } from "@keelson/sources";
import { until } from "../world/until.ts";
import type { KubeApiserver } from "./kube-apiserver.ts";

/** What a control plane cannot read with the rights of the ServiceAccount `istiod`; all is empty for nothing. */
export async function missedByIstiod(apiserver: KubeApiserver, namespace: string) {
  const audience = "https://kubernetes.default.svc.cluster.local";
  const token = await apiserver.serviceAccountToken(namespace, "istiod", audience);
  const config = await loadKubeConfig(await apiserver.kubeconfigWith("istiod", token));
  const source = new KubernetesSource({ config, revision: "default" });
  await source.start();
  // Kinds that have just been defined are not served for a moment; what is said for long is meant.
  const isSettled = (): boolean => Object.keys(source.health.failing).length === 0;
  await until(isSettled, { what: "all to be followed", timeoutMs: 30_000 }).catch(() => undefined);
  const { health, snapshot } = source;
  await source.close();
  return { ...health, problems: snapshot.problems };
}
