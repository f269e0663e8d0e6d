import { istioObject } from "../envoy/envoy-world.ts";
import { Callers, grpc, host, http, podsOf } from "../mixed/callers.ts";
import type { KubeApiserver } from "../peers/kube-apiserver.ts";
import type { Pod } from "../world/pod.ts";
import type { PodRequest } from "../world/pod-request.ts";
import { World, type WorldOptions } from "../world/world.ts";
import { podStatus } from "./objects.ts";

const namespace = "default";

/** Where a control plane learns of endpoints: those of Istio 0.2's roles may not read EndpointSlices. */
export type EndpointKind = "Endpoints" | "EndpointSlice";

export const versions = ["v1", "v2", "v3"];

/** Bookinfo's reviews, in an API server and with pods behind it, and three that call it: by the kernel, an Envoy, and gRPC. */
export class ReviewsCluster implements AsyncDisposable {
  readonly world: World;
  readonly callers: Callers;
  private readonly stack: AsyncDisposableStack;

  private constructor(world: World, callers: Callers, stack: AsyncDisposableStack) {
    this.world = world;
    this.callers = callers;
    this.stack = stack;
  }

  /** Neither control plane nor callers run yet. */
  static async open(
    name: string,
    apiserver: KubeApiserver,
    kind: EndpointKind,
    options: WorldOptions = {},
  ): Promise<ReviewsCluster> {
    await using stack = new AsyncDisposableStack();
    const world = stack.use(await World.open(name, options));
    await apiserver.apply(
      { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "default", namespace } },
      serviceObject,
    );
    await makePods(apiserver, world);
    const callers = stack.use(new Callers(world, await addressOf(apiserver)));
    await callers.startBackends();
    const backends = [...world.pods.values()].filter(({ labels }) => labels["app"] === host);
    await apiserver.apply(endpointsObject(kind, backends));
    return new ReviewsCluster(world, callers, stack.move());
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stack.disposeAsync();
  }
}

/** Rules that send all calls to one version. */
export const sendAllTo = (version: string): object[] => [
  istioObject("DestinationRule", host, {
    host,
    subsets: versions.map((name) => ({ name, labels: { version: name } })),
  }),
  istioObject("VirtualService", host, {
    hosts: [host],
    http: [{ route: [{ destination: { host, subset: version } }] }],
  }),
];

const serviceObject = {
  apiVersion: "v1",
  kind: "Service",
  metadata: { name: host, namespace },
  spec: { selector: { app: host }, ports: [http, grpc] },
};

/** The API server names a pod first; its network namespace and cgroup then have the address and the UID that it holds. */
async function makePods(apiserver: KubeApiserver, world: World): Promise<void> {
  const requests = podsOf(versions);
  await apiserver.apply(...requests.map((request) => podObject(world, request)));
  const made = await Promise.all(
    requests.map(async (request) => ({ ...request, uid: await uidOf(apiserver, request.name) })),
  );
  for (const { name, ipv4 } of await world.addPods(...made)) {
    const path = `/api/v1/namespaces/${namespace}/pods/${name}/status`;
    await apiserver.call("PATCH", path, podStatus(ipv4), "application/merge-patch+json");
  }
}

const podObject = (world: World, { name, labels = {}, node = 1 }: PodRequest): object => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, namespace, labels },
  spec: { nodeName: world.names.node(node), containers: [{ name: "app", image: labels["app"] }] },
});

const read = (apiserver: KubeApiserver, what: string, path: string): Promise<string> =>
  apiserver.kubectl(["get", what, `--namespace=${namespace}`, `--output=jsonpath={${path}}`]);

const uidOf = (apiserver: KubeApiserver, pod: string) => read(apiserver, `pod/${pod}`, ".metadata.uid");

const addressOf = (apiserver: KubeApiserver) => read(apiserver, `service/${host}`, ".spec.clusterIP");

/** What Kubernetes' controllers would make of the service and its pods. */
function endpointsObject(kind: EndpointKind, pods: readonly Pod[]): object {
  const ports = [http, grpc].map(({ name, targetPort }) => ({ name, port: targetPort, protocol: "TCP" }));
  const targets = pods.map(({ name, node, ipv4 }) => ({
    address: ipv4,
    nodeName: node,
    targetRef: { kind: "Pod", name, namespace },
  }));
  if (kind === "Endpoints") {
    const addresses = targets.map(({ address, ...target }) => ({ ip: address, ...target }));
    return { apiVersion: "v1", kind, metadata: { name: host, namespace }, subsets: [{ addresses, ports }] };
  }
  return {
    apiVersion: "discovery.k8s.io/v1",
    kind,
    metadata: { name: `${host}-a`, namespace, labels: { "kubernetes.io/service-name": host } },
    addressType: "IPv4",
    ports,
    endpoints: targets.map(({ address, ...target }) => ({
      addresses: [address],
      conditions: { ready: true, serving: true, terminating: false },
      ...target,
    })),
  };
}
