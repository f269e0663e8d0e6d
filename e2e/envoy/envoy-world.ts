import { rm } from "node:fs/promises";
import { join } from "node:path";
import { type Envoy, startEnvoy } from "../peers/envoy.ts";
import { peerRunFolder } from "../peers/peer-process.ts";
import { type AdsVariant, plainBootstrap } from "../peers/plain-envoy.ts";
import { ConfigFolder } from "../world/config-folder.ts";
import { ControlPlane } from "../world/control-plane.ts";
import { freePort } from "../world/free-port.ts";
import type { KubernetesObject } from "../world/objects.ts";

/** A control plane on a folder of files, and an Envoy beside it, all on the loopback interface. */
export class EnvoyWorld implements AsyncDisposable {
  readonly config: ConfigFolder;
  readonly controlPlane: ControlPlane;
  readonly envoy: Envoy;
  private readonly folder: string;

  private constructor(folder: string, config: ConfigFolder, controlPlane: ControlPlane, envoy: Envoy) {
    this.folder = folder;
    this.config = config;
    this.controlPlane = controlPlane;
    this.envoy = envoy;
  }

  /**
   * Returns when the Envoy is live.
   * @param node who it says it is; one that knows nothing of Istio, if left out
   */
  static async start(
    variant: AdsVariant,
    objects: readonly KubernetesObject[],
    node: Readonly<Record<string, unknown>> = { id: "plain" },
  ): Promise<EnvoyWorld> {
    const folder = await peerRunFolder("envoy-world");
    const config = await ConfigFolder.create(join(folder, "config"));
    await config.write("first", objects);
    const [grpcPort, httpPort] = [await freePort(), await freePort()];
    const logFile = join(folder, "control-plane.log");
    const controlPlane = new ControlPlane({ configFolder: config.path, grpcPort, httpPort, logFile });
    await controlPlane.start();
    try {
      const envoy = await startEnvoy({
        bootstrap: plainBootstrap(node, { port: grpcPort }, variant),
      });
      return new EnvoyWorld(folder, config, controlPlane, envoy);
    } catch (error) {
      await controlPlane.stop();
      throw error;
    }
  }

  /** Values of all of Envoy's statistics whose names match. */
  async statistics(filter: string): Promise<Readonly<Record<string, number>>> {
    const text = await this.envoy.admin(`/stats?format=json&filter=${encodeURIComponent(filter)}`);
    const { stats } = JSON.parse(text) as { stats: { name?: string; value?: number }[] };
    return Object.fromEntries(
      stats.flatMap(({ name, value }) => (name === undefined ? [] : [[name, value ?? 0]])),
    );
  }

  /** Statistics of updates that Envoy rejected; none should be. */
  async rejections(): Promise<Readonly<Record<string, number>>> {
    const all = await this.statistics("update_rejected");
    return Object.fromEntries(Object.entries(all).filter(([, count]) => count > 0));
  }

  /** Names of its clusters, in order. */
  async clusters(): Promise<readonly string[]> {
    const text = await this.envoy.admin("/clusters?format=json");
    const { cluster_statuses: all } = JSON.parse(text) as { cluster_statuses: { name: string }[] };
    return all.map(({ name }) => name).sort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.envoy.stop();
    await this.controlPlane.stop();
    await rm(this.folder, { recursive: true });
  }
}

const namespace = "default";

/** core/v1 Service that is reached through a plain Envoy at a port of the loopback interface. */
export const httpService = (name: string, port: number): KubernetesObject => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name, namespace },
  spec: { clusterIP: "10.0.0.1", ports: [{ name: "http", port }] },
});

/** Where a pod's server listens. */
interface Backend {
  readonly name: string;
  readonly address: string;
  readonly port: number;
}

/** networking.istio.io object. */
export const istioObject = (
  kind: string,
  name: string,
  spec: Readonly<Record<string, unknown>>,
): KubernetesObject => ({
  apiVersion: "networking.istio.io/v1",
  kind,
  metadata: { name, namespace },
  spec,
});

export interface SliceOptions {
  /** Of the service's port; http by default. */
  readonly portName?: string;
  /** Backends that terminate and still serve; none by default. */
  readonly ending?: readonly Backend[];
}

/** EndpointSlices of a service and Pods of its backends, one each; a pod's label `version` is its name. */
export const podsBehind = (
  service: string,
  backends: readonly Backend[],
  options: SliceOptions = {},
): KubernetesObject[] => [...backends.map(podOf), ...slicesOf(service, backends, options)];

/** core/v1 Pod. */
const podOf = ({ name, address }: Backend): KubernetesObject => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, namespace, labels: { version: name } },
  spec: { nodeName: "node-1", serviceAccountName: "default" },
  status: { phase: "Running", podIP: address, podIPs: [{ ip: address }] },
});

/** discovery.k8s.io/v1 EndpointSlices, one for each backend. */
export const slicesOf = (
  service: string,
  backends: readonly Backend[],
  { portName = "http", ending = [] }: SliceOptions = {},
): KubernetesObject[] =>
  backends.map(({ name, address, port }) => ({
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { name: `${service}-${name}`, namespace, labels: { "kubernetes.io/service-name": service } },
    addressType: "IPv4",
    endpoints: [
      {
        addresses: [address],
        conditions: ending.some((one) => one.name === name)
          ? { ready: false, serving: true, terminating: true }
          : { ready: true },
        nodeName: "node-1",
        targetRef: { kind: "Pod", name, namespace },
      },
    ],
    ports: [{ name: portName, port, protocol: "TCP" }],
  }));

/** Sends all requests for a service to the pods of one version, by a subset of this name. */
export const toSubset = (service: string, subset: string, version: string): KubernetesObject[] => [
  istioObject("DestinationRule", service, {
    host: service,
    subsets: [{ name: subset, labels: { version } }],
  }),
  istioObject("VirtualService", service, {
    hosts: [service],
    http: [{ route: [{ destination: { host: service, subset } }] }],
  }),
];
