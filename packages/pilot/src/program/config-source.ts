import { statSync } from "node:fs";
import {
  type ConfigSource,
  DirectorySource,
  isInCluster,
  KubernetesSource,
  loadKubeConfig,
  MergedSource,
} from "@keelson/sources";
import type { DiscoverySettings } from "../settings/discovery-settings.ts";

/** Where the configuration comes from. */
export interface OpenedSource {
  readonly source: ConfigSource;
  /** In words, for the log. */
  readonly from: string;
}

const kubernetesRegistry = "Kubernetes";

type Settings = Pick<DiscoverySettings, "configDir" | "kubernetes">;

/**
 * Files, if there is a directory, and Kubernetes, if there is one. As with istiod, the rules are those of the files then,
 * while services are those of both.
 * @throws Error if there is neither, or if the kubeconfig is of no use.
 */
export function openSource(
  { configDir, kubernetes }: Settings,
  environment: NodeJS.ProcessEnv,
): OpenedSource {
  const kubeconfig = kubeconfigOf(kubernetes.kubeconfig, environment);
  const roles = [
    ...(kubernetes.registries.includes(kubernetesRegistry) ? (["registry"] as const) : []),
    ...(configDir === "" ? (["rules"] as const) : []),
  ];
  const opened: OpenedSource[] = [];
  if (configDir !== "") opened.push({ source: new DirectorySource(configDir), from: configDir });
  if (kubeconfig !== undefined && roles.length > 0) {
    const { namespace, revision } = kubernetes;
    const source = new KubernetesSource({ config: loadKubeConfig(kubeconfig), roles, namespace, revision });
    opened.push({ source, from: `Kubernetes at ${source.url}` });
  }
  const [first, ...others] = opened;
  if (first === undefined) throw new Error(nothingToRead(kubernetes.kubeconfig));
  if (others.length === 0) return first;
  return {
    source: new MergedSource(opened.map(({ source }) => source)),
    from: opened.map(({ from }) => from).join(" and "),
  };
}

/** @returns empty for the cluster that the program runs in; undefined if there is none. */
function kubeconfigOf(path: string, environment: NodeJS.ProcessEnv): string | undefined {
  if (path !== "" && (statSync(path, { throwIfNoEntry: false })?.size ?? 0) > 0) return path;
  return isInCluster(environment) ? "" : undefined;
}

function nothingToRead(kubeconfig: string): string {
  const file =
    kubeconfig === "" ? "neither --configDir nor --kubeconfig is given" : `${kubeconfig} is no file`;
  return `there is nothing to read: ${file}, and the program does not run in a cluster (KUBERNETES_SERVICE_HOST is not set)`;
}
