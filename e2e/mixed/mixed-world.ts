import { join } from "node:path";
import { istioObject } from "../envoy/envoy-world.ts";
import { type EchoClient, startEchoClient, startEchoServer } from "../peers/echo.ts";
import { startEnvoy } from "../peers/envoy.ts";
import { proxylessBootstrap } from "../peers/grpc-bootstrap.ts";
import type { Place } from "../peers/peer-process.ts";
import { plainBootstrap } from "../peers/plain-envoy.ts";
import { hostsFile } from "../world/hosts-file.ts";
import { writeHostsFile } from "../world/network.ts";
import { endpointSlices, podObject, type ServiceRecord, serviceObject } from "../world/objects.ts";
import type { Pod } from "../world/pod.ts";
import { regroup, type Tally } from "../world/tally.ts";
import { UnixForwarder } from "../world/unix-forwarder.ts";
import { World } from "../world/world.ts";

const http = { name: "http", port: 9080, targetPort: 8080 };
const grpc = { name: "grpc", port: 9090, targetPort: 50_051 };
const host = "reviews";
const fullHost = "reviews.default.svc.cluster.local";
const versions = ["v1", "v2"];

/** Who calls: each on a node of its own, by a data plane of its own. */
const callers = { kernel: "caller-kernel", envoy: "caller-envoy", proxyless: "caller-proxyless" } as const;
export type CallerName = keyof typeof callers;
export const callerNames = Object.keys(callers) as CallerName[];

/** Shares of the service's versions, in percent. */
export type Weights = Readonly<Record<string, number>>;

const placeOf = ({ place: { namespace, cgroup } }: Pod): Place => ({ namespace, cgroup });

/** One control plane and one service; a node of the kernel's, one of an Envoy's, and a gRPC client without either. */
export class MixedWorld implements AsyncDisposable {
  private readonly world: World;
  private readonly service: ServiceRecord;
  private readonly stack: AsyncDisposableStack;
  private proxyless: EchoClient | undefined;

  private constructor(world: World, service: ServiceRecord, stack: AsyncDisposableStack) {
    this.world = world;
    this.service = service;
    this.stack = stack;
  }

  static async open(weights: Weights): Promise<MixedWorld> {
    await using stack = new AsyncDisposableStack();
    const world = stack.use(await World.open("mixed"));
    const service = await world.addService(host, [http, grpc]);
    const mixed = new MixedWorld(world, service, stack.move());
    try {
      await mixed.start(weights);
      return mixed;
    } catch (error) {
      await mixed[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Makes these the weights of the one rule. Returns when the kernel node holds it; the others follow by themselves. */
  async setWeights(weights: Weights): Promise<void> {
    await this.world.change(() => this.writeRule(weights));
  }

  /** What comes of so many calls: answers by version. @throws Error if any call failed */
  async split(caller: CallerName, calls: number): Promise<Tally> {
    const { answers, failures } = await this.send(caller, calls);
    if (Object.keys(failures).length > 0) throw new Error(`${caller}: ${JSON.stringify(failures)}`);
    return regroup({ ...answers }, (pod) => this.world.pod(pod).labels["version"]);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stack.disposeAsync();
  }

  private async send(caller: CallerName, count: number) {
    const pod = this.world.pod(callers[caller]);
    switch (caller) {
      case "kernel":
        return pod.send({ host: this.service.addresses[0] ?? "", port: http.port }, count);
      case "envoy":
        // Its Envoy has the service's port on its loopback interface, and the service's name leads there.
        return pod.send({ host, port: http.port }, count);
      case "proxyless":
        if (this.proxyless === undefined) throw new Error("there is no gRPC client");
        return this.proxyless.send({ count, concurrency: 16 });
    }
  }

  private async start(weights: Weights): Promise<void> {
    const { world } = this;
    const pods = versions.map((version) => ({
      name: `reviews-${version}`,
      labels: { app: host, version },
      node: 4,
    }));
    const nodes = Object.values(callers).map((name, i) => ({ name, labels: { app: name }, node: i + 1 }));
    const made = await world.addPods(...pods, ...nodes);
    await Promise.all(made.slice(0, pods.length).map((pod) => this.startBackend(pod)));
    await world.config.write("services", [
      serviceObject(this.service),
      ...endpointSlices(this.service, made.slice(0, pods.length)),
      ...made.map(podObject),
      istioObject("DestinationRule", host, {
        host,
        subsets: versions.map((version) => ({ name: version, labels: { version } })),
      }),
    ]);
    await this.writeRule(weights);
    await world.startControlPlane();
    await world.startApplier();
    await world.settled();
    const forwarder = await UnixForwarder.start(
      join(world.names.folder, "run", "xds.sock"),
      world.controlPlane.place.grpcPort,
    );
    this.stack.use(forwarder);
    await this.startEnvoy(world.pod(callers.envoy), forwarder.path);
    await this.startProxyless(world.pod(callers.proxyless), forwarder.path);
  }

  private writeRule(weights: Weights): Promise<void> {
    const route = Object.entries(weights).map(([subset, weight]) => ({
      destination: { host, subset },
      weight,
    }));
    return this.world.config.write("rule", [
      istioObject("VirtualService", host, { hosts: [host], http: [{ route }] }),
    ]);
  }

  private async startBackend(pod: Pod): Promise<void> {
    await pod.startEchoServer(http.targetPort);
    const listen = `${pod.ipv4}:${grpc.targetPort}`;
    const server = await startEchoServer({
      language: "grpc-go",
      name: pod.name,
      listen,
      place: placeOf(pod),
    });
    this.stack.defer(() => server.stop());
  }

  private async startEnvoy(pod: Pod, controlPlane: string): Promise<void> {
    const node = {
      id: `sidecar~${pod.ipv4}~${pod.name}.default~default.svc.cluster.local`,
      metadata: { INTERCEPTION_MODE: "NONE" },
    };
    const bootstrap = plainBootstrap(node, { path: controlPlane }, "DELTA_GRPC");
    await writeHostsFile(
      pod.place.namespace,
      hostsFile([{ names: [host, fullHost], addresses: ["127.0.0.1"] }]),
    );
    const envoy = await startEnvoy({ bootstrap, place: placeOf(pod) });
    this.stack.defer(() => envoy.stop());
  }

  private async startProxyless(pod: Pod, controlPlane: string): Promise<void> {
    const client = await startEchoClient({
      language: "grpc-go",
      target: `xds:///${fullHost}:${grpc.port}`,
      bootstrap: proxylessBootstrap({
        discoveryAddress: `unix://${controlPlane}`,
        name: pod.name,
        namespace: "default",
        address: pod.ipv4,
      }),
      place: placeOf(pod),
    });
    this.proxyless = client;
    this.stack.defer(() => client.stop());
  }
}
