import { join } from "node:path";
import { type EchoClient, startEchoClient, startEchoServer } from "../peers/echo.ts";
import { startEnvoy } from "../peers/envoy.ts";
import { proxylessBootstrap } from "../peers/grpc-bootstrap.ts";
import type { Place } from "../peers/peer-process.ts";
import { plainBootstrap } from "../peers/plain-envoy.ts";
import { hostsFile } from "../world/hosts-file.ts";
import { writeHostsFile } from "../world/network.ts";
import type { ServicePort } from "../world/objects.ts";
import type { Pod } from "../world/pod.ts";
import type { PodRequest } from "../world/pod-request.ts";
import { count, regroup, type Tally } from "../world/tally.ts";
import type { TrafficResult } from "../world/traffic.ts";
import { UnixForwarder } from "../world/unix-forwarder.ts";
import type { World } from "../world/world.ts";

/** The service that is called. */
export const host = "reviews";
const fullHost = `${host}.default.svc.cluster.local`;

export const http = { name: "http", port: 9080, targetPort: 9080 } as const satisfies ServicePort;
export const grpc = { name: "grpc", port: 9090, targetPort: 50_051 } as const satisfies ServicePort;

/** Who calls: each on a node of its own, by a data plane of its own. */
const callers = { kernel: "caller-kernel", envoy: "caller-envoy", proxyless: "caller-proxyless" } as const;
export type CallerName = keyof typeof callers;
export const callerNames = Object.keys(callers) as CallerName[];

/** The node whose applier carries the kernel's caller. */
const kernelNode = 1;
const backendNode = 4;

/** The callers' pods, and one for each version of the service. */
export const podsOf = (versions: readonly string[]): PodRequest[] => [
  ...Object.values(callers).map((name, i) => ({ name, labels: { app: name }, node: kernelNode + i })),
  ...versions.map((version) => ({
    name: `${host}-${version}`,
    labels: { app: host, version },
    node: backendNode,
  })),
];

const placeOf = ({ place: { namespace, cgroup } }: Pod): Place => ({ namespace, cgroup });

/** Calls that are sent in batches; how many a batch has. */
const batch = 50;
/** Calls at once of traffic without end: enough that some are always under way. */
const concurrency = 2;

/** Traffic without end. */
export interface Running {
  /** @returns what came of it, by version. */
  stop(): Promise<Outcome>;
}

export interface Outcome {
  /** By version. */
  readonly answers: Tally;
  readonly failures: Tally;
}

/** Three that call one service, in a world that has their pods: a node of the kernel's, an Envoy, a gRPC client. */
export class Callers implements AsyncDisposable {
  private readonly world: World;
  /** Of the service, as the kernel's caller dials it. */
  private readonly address: string;
  private readonly stack = new AsyncDisposableStack();
  private forwarder: UnixForwarder | undefined;
  private client: EchoClient | undefined;

  /** @param address the service's */
  constructor(world: World, address: string) {
    this.world = world;
    this.address = address;
  }

  /** Starts the service's servers: HTTP and gRPC. */
  async startBackends(): Promise<void> {
    const pods = [...this.world.pods.values()].filter(({ labels }) => labels["app"] === host);
    await Promise.all(pods.map((pod) => this.startBackend(pod)));
  }

  /** The control plane need not be there. */
  async startEnvoy(): Promise<void> {
    const pod = this.world.pod(callers.envoy);
    const node = {
      id: `sidecar~${pod.ipv4}~${pod.name}.default~default.svc.cluster.local`,
      metadata: { INTERCEPTION_MODE: "NONE", NAMESPACE: "default" },
    };
    const bootstrap = plainBootstrap(node, { path: await this.controlPlane() }, "DELTA_GRPC");
    // Its Envoy has the service's port on its loopback interface, and the service's name leads there.
    const entry = { names: [host, fullHost], addresses: ["127.0.0.1"] };
    await writeHostsFile(pod.place.namespace, hostsFile([entry]));
    const envoy = await startEnvoy({ bootstrap, place: placeOf(pod) });
    this.stack.defer(() => envoy.stop());
  }

  async startProxyless(): Promise<void> {
    const pod = this.world.pod(callers.proxyless);
    const client = await startEchoClient({
      language: "grpc-go",
      target: `xds:///${fullHost}:${grpc.port}`,
      bootstrap: proxylessBootstrap({
        discoveryAddress: `unix://${await this.controlPlane()}`,
        name: pod.name,
        namespace: "default",
        address: pod.ipv4,
      }),
      place: placeOf(pod),
    });
    this.client = client;
    this.stack.defer(() => client.stop());
  }

  /** The kernel node's applier; returns when it holds what the control plane has. */
  async startApplier(): Promise<void> {
    await this.world.startApplier(kernelNode);
    await this.world.settled();
  }

  /** What comes of so many calls: answers by version. @throws Error if any call failed */
  async split(caller: CallerName, calls: number): Promise<Tally> {
    const { answers, failures } = await this.send(caller, calls);
    if (Object.keys(failures).length > 0) throw new Error(`${caller}: ${JSON.stringify(failures)}`);
    return answers;
  }

  /** Calls from now on; of the gRPC client nothing else may be asked meanwhile. */
  callUntilStopped(caller: CallerName): Running {
    if (caller !== "proxyless") {
      const target = { ...this.target(caller), concurrency };
      const running = this.world.pod(callers[caller]).sendUntilStopped(target);
      return { stop: async () => this.outcome(await running.stop()) };
    }
    const stop = new AbortController();
    const sent = (async () => {
      const all = { answers: {}, failures: {} };
      while (!stop.signal.aborted) {
        const { answers, failures } = await this.sendGrpc(batch, concurrency);
        for (const [pod, times] of Object.entries(answers)) count(all.answers, pod, times);
        for (const [status, times] of Object.entries(failures)) count(all.failures, status, times);
      }
      return this.outcome(all);
    })();
    // Whoever stops it gets the error; until then it must not count as unhandled.
    sent.catch(() => undefined);
    return {
      stop: () => {
        stop.abort();
        return sent;
      },
    };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stack.disposeAsync();
  }

  private async send(caller: CallerName, calls: number): Promise<Outcome> {
    if (caller === "proxyless") return this.outcome(await this.sendGrpc(calls, 16));
    return this.outcome(await this.world.pod(callers[caller]).send(this.target(caller), calls));
  }

  private target(caller: "kernel" | "envoy") {
    return { host: caller === "kernel" ? this.address : host, port: http.port };
  }

  private async sendGrpc(calls: number, atOnce: number): Promise<Outcome> {
    if (this.client === undefined) throw new Error("there is no gRPC client");
    const tally = await this.client.send({ count: calls, concurrency: atOnce });
    const failures = Object.entries(tally.failures).map(([status, times]) => [
      `${status}: ${tally.firstFailure}`,
      times,
    ]);
    return { answers: tally.answers, failures: Object.fromEntries(failures) };
  }

  private outcome({ answers, failures }: Pick<TrafficResult, "answers" | "failures">): Outcome {
    return {
      answers: regroup({ ...answers }, (pod) => this.world.pod(pod).labels["version"]),
      failures: { ...failures },
    };
  }

  /** Pods have no way to this machine's loopback interface; a socket in the file system has. */
  private async controlPlane(): Promise<string> {
    const { names, controlPlane } = this.world;
    const path = join(names.folder, "run", "xds.sock");
    this.forwarder ??= this.stack.use(await UnixForwarder.start(path, controlPlane.place.grpcPort));
    return this.forwarder.path;
  }

  private async startBackend(pod: Pod): Promise<void> {
    await pod.startEchoServer(http.targetPort);
    const listen = `${pod.ipv4}:${grpc.targetPort}`;
    const place = placeOf(pod);
    const server = await startEchoServer({ language: "grpc-go", name: pod.name, listen, place });
    this.stack.defer(() => server.stop());
  }
}
