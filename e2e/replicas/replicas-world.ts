import { KubeClient } from "../kubernetes/kube-client.ts";
import { paths, service } from "../kubernetes/objects.ts";
import { createNamespace } from "../peers/keelson-chart.ts";
import { type KubeApiserver, startKubeApiserver } from "../peers/kube-apiserver.ts";
import { type PilotDiscovery, startPilotDiscovery } from "../peers/pilot-discovery.ts";
import { until } from "../world/until.ts";
import { Caller } from "./caller.ts";

const system = "istio-system";
const lock = "istio-namespace-controller-election";

export const hostname = (name: string): string => `${name}.default.svc.cluster.local`;

/** Replicas of the control plane on one real API server, and streams that may go to any of them. */
export class ReplicasWorld {
  readonly client: KubeClient;
  /** By pod name. */
  readonly replicas = new Map<string, PilotDiscovery>();
  callers: readonly Caller[] = [];
  private readonly apiserver: KubeApiserver;

  private constructor(apiserver: KubeApiserver, client: KubeClient) {
    this.apiserver = apiserver;
    this.client = client;
  }

  static async start(): Promise<ReplicasWorld> {
    const apiserver = await startKubeApiserver();
    await createNamespace(apiserver, system);
    return new ReplicasWorld(apiserver, await KubeClient.of(apiserver.kubeconfig));
  }

  /** Ports of the replicas that were started, in their order. */
  get ports(): number[] {
    return [...this.replicas.values()].map(({ ports }) => ports.grpc);
  }

  async startReplica(podName: string): Promise<void> {
    const args = [`--kubeconfig=${this.apiserver.kubeconfig}`];
    this.replicas.set(podName, await startPilotDiscovery({ args, environment: { POD_NAME: podName } }));
  }

  /** Opens streams, by turns to each of the replicas first. */
  openStreams(count: number): void {
    const { ports } = this;
    this.callers = Array.from({ length: count }, (_, i) => {
      const preferred = ports[i % ports.length] ?? 0;
      return new Caller(`node-${i}`, [preferred, ...ports.filter((port) => port !== preferred)]);
    });
  }

  /** Makes a service. */
  async make(name: string): Promise<void> {
    await this.client.create(paths.services, service(name));
  }

  /** Waits until all streams were told of a service. @param since by performance.now @returns how long each took, in ms, sorted */
  async untilHeard(name: string, since = performance.now()): Promise<number[]> {
    const times = (): number[] => this.callers.flatMap(({ heard }) => heard.get(hostname(name)) ?? []);
    await until(() => times().length === this.callers.length, {
      what: `all streams to be told of ${name}`,
    });
    return times()
      .map((time) => time - since)
      .sort((a, b) => a - b);
  }

  /** Streams that a replica serves, by its own account. */
  async streamsOf(podName: string): Promise<number> {
    const { body } = (await this.replicas.get(podName)?.get("/metrics")) ?? { body: "" };
    const counts = [...body.matchAll(/^pilot_xds\{[^}]*\} (\d+)$/gm)].map(([, count]) => Number(count));
    return counts.reduce((sum, count) => sum + count, 0);
  }

  /** The pod that publishes the root; undefined: none. */
  async leader(): Promise<string | undefined> {
    const { status, text } = await this.client.get(`/api/v1/namespaces/${system}/configmaps/${lock}`);
    if (status !== 200) return undefined;
    const { metadata } = JSON.parse(text) as {
      readonly metadata: { readonly annotations: Readonly<Record<string, string>> };
    };
    const record = metadata.annotations["control-plane.alpha.kubernetes.io/leader"] ?? "{}";
    const { holderIdentity = "" } = JSON.parse(record) as { holderIdentity?: string };
    return holderIdentity === "" ? undefined : holderIdentity;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.callers.map((caller) => caller.close()));
    await Promise.all([...this.replicas.values()].map((replica) => replica.stop()));
    this.client.close();
    await this.apiserver.stop();
  }
}
