import type { OutgoingHttpHeaders } from "node:http";
import type { RequestOptions } from "node:https";
import { PlainKubeConfig, readPlainKubeConfig } from "./plain-kube-config.ts";

export type CallOptions = RequestOptions & { headers: OutgoingHttpHeaders };

/** How an API server is reached, and as whom. */
export interface KubeConfig {
  /** "https://10.96.0.1:443" */
  readonly server: string;
  /** Adds to a request what shows who asks, and by what the server is known. Files are read again: they change. */
  applyTo(options: CallOptions): Promise<void>;
}

/** Where Kubernetes puts what a pod needs to ask its API server. */
const accountFolder = "/var/run/secrets/kubernetes.io/serviceaccount";

/**
 * @param kubeconfig path of a kubeconfig; empty: the cluster that the program runs in
 * @throws Error naming the file, if it is none, or names no cluster for its current context.
 */
export async function loadKubeConfig(kubeconfig: string): Promise<KubeConfig> {
  if (kubeconfig === "") return inCluster(process.env);
  try {
    return (await readPlainKubeConfig(kubeconfig)) ?? (await byClientLibrary(kubeconfig));
  } catch (error) {
    throw new Error(`${kubeconfig} is no kubeconfig: ${(error as Error).message}`, { cause: error });
  }
}

/** Whether the program runs in a pod, as Kubernetes tells its pods. */
export const isInCluster = (environment: NodeJS.ProcessEnv): boolean =>
  (environment["KUBERNETES_SERVICE_HOST"] ?? "") !== "" &&
  (environment["KUBERNETES_SERVICE_PORT"] ?? "") !== "";

function inCluster(environment: NodeJS.ProcessEnv): KubeConfig {
  const { KUBERNETES_SERVICE_HOST: host = "", KUBERNETES_SERVICE_PORT: port = "" } = environment;
  return new PlainKubeConfig({
    server: `https://${host.includes(":") ? `[${host}]` : host}:${port}`,
    ca: { file: `${accountFolder}/ca.crt` },
    token: { file: `${accountFolder}/token` },
  });
}

/**
 * Knows every way to show who asks: helpers that are run, providers of tokens, proxies. It takes 65 MiB of memory, so it is
 * only loaded where there is need of it.
 */
async function byClientLibrary(kubeconfig: string): Promise<KubeConfig> {
  const { KubeConfig: ClientConfig } = await import("@kubernetes/client-node");
  const config = new ClientConfig();
  config.loadFromFile(kubeconfig);
  const cluster = config.getCurrentCluster();
  if (cluster === null)
    throw new Error(`it names no cluster for its current context "${config.getCurrentContext()}"`);
  return {
    server: cluster.server.replace(/\/$/, ""),
    applyTo: (options) => config.applyToHTTPSOptions(options),
  };
}
