import { statSync } from "node:fs";
import {
  ApiServer,
  ConfigMapText,
  type ConfigSource,
  DirectorySource,
  isInCluster,
  type KubeConfig,
  KubernetesSource,
  loadKubeConfig,
  MergedSource,
} from "@keelson/sources";
import { MeshConfigFile } from "../config/mesh-config-file.ts";
import { MeshConfigMap } from "../config/mesh-config-map.ts";
import type { MeshSource } from "../config/mesh-source.ts";
import type { DiscoverySettings } from "../settings/discovery-settings.ts";

/** Where the configuration comes from. */
export interface OpenedSource {
  readonly source: ConfigSource;
  readonly mesh: MeshSource;
  /** Undefined where there is no Kubernetes. */
  readonly apiServer: ApiServer | undefined;
  /** In words, for the log. */
  readonly from: string;
}

const kubernetesRegistry = "Kubernetes";

type Settings = Pick<
  DiscoverySettings,
  "configDir" | "kubernetes" | "meshConfigFile" | "domain" | "identity"
>;

/**
 * Files, if there is a directory, and Kubernetes, if there is one. As with istiod, the rules are those of the files then,
 * while services are those of both.
 * @throws Error if there is neither, or if the kubeconfig is of no use.
 */
export async function openSource(settings: Settings, environment: NodeJS.ProcessEnv): Promise<OpenedSource> {
  const { configDir, kubernetes } = settings;
  const kubeconfig = kubeconfigOf(kubernetes.kubeconfig, environment);
  const config = kubeconfig === undefined ? undefined : await loadKubeConfig(kubeconfig);
  const opened = [
    ...(configDir === "" ? [] : [{ source: new DirectorySource(configDir), from: configDir }]),
    ...(config === undefined ? [] : ofKubernetes(settings, config)),
  ];
  const [first, ...others] = opened;
  if (first === undefined) throw new Error(nothingToRead(kubernetes.kubeconfig));
  return {
    source: others.length === 0 ? first.source : new MergedSource(opened.map(({ source }) => source)),
    from: opened.map(({ from }) => from).join(" and "),
    mesh: meshOf(settings, config),
    apiServer: config === undefined ? undefined : new ApiServer(config),
  };
}

function ofKubernetes(
  { configDir, kubernetes: { registries, namespace, revision } }: Settings,
  config: KubeConfig,
): Pick<OpenedSource, "source" | "from">[] {
  const roles = [
    ...(registries.includes(kubernetesRegistry) ? (["registry"] as const) : []),
    ...(configDir === "" ? (["rules"] as const) : []),
  ];
  if (roles.length === 0) return [];
  const source = new KubernetesSource({ config, roles, namespace, revision });
  return [{ source, from: `Kubernetes at ${source.url}` }];
}

/** As istiod: the file where there is one, else the ConfigMap "istio" beside the program. */
function meshOf(settings: Settings, config: KubeConfig | undefined): MeshSource {
  const { meshConfigFile, domain, identity, kubernetes } = settings;
  const file = new MeshConfigFile({ path: meshConfigFile, domain });
  if (config === undefined) return file;
  const name = kubernetes.revision === "default" ? "istio" : `istio-${kubernetes.revision}`;
  const text = new ConfigMapText({ config, namespace: identity.namespace, name, key: "mesh" });
  return new MeshConfigMap({ file, text, name: `ConfigMap ${identity.namespace}/${name}`, domain });
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
