import { istioObject } from "../envoy/envoy-world.ts";
import { endpointSlices, podObject, type ServiceRecord, serviceObject } from "../world/objects.ts";
import type { Tally } from "../world/tally.ts";
import { World } from "../world/world.ts";
import { type CallerName, Callers, grpc, host, http, podsOf } from "./callers.ts";

const versions = ["v1", "v2"];

/** Shares of the service's versions, in percent. */
export type Weights = Readonly<Record<string, number>>;

/** One control plane on files and one service; a node of the kernel's, one of an Envoy's, and a gRPC client without either. */
export class MixedWorld implements AsyncDisposable {
  private readonly world: World;
  private readonly callers: Callers;
  private readonly stack: AsyncDisposableStack;

  private constructor(world: World, callers: Callers, stack: AsyncDisposableStack) {
    this.world = world;
    this.callers = callers;
    this.stack = stack;
  }

  static async open(weights: Weights): Promise<MixedWorld> {
    await using stack = new AsyncDisposableStack();
    const world = stack.use(await World.open("mixed"));
    const service = await world.addService(host, [http, grpc]);
    await world.addPods(...podsOf(versions));
    const callers = stack.use(new Callers(world, service.addresses[0] ?? ""));
    await callers.startBackends();
    await writeObjects(world, service);
    await writeRule(world, weights);
    await world.startControlPlane();
    await callers.startApplier();
    await callers.startEnvoy();
    await callers.startProxyless();
    return new MixedWorld(world, callers, stack.move());
  }

  /** Makes these the weights of the one rule. Returns when the kernel node holds it; the others follow by themselves. */
  async setWeights(weights: Weights): Promise<void> {
    await this.world.change(() => writeRule(this.world, weights));
  }

  /** What comes of so many calls: answers by version. @throws Error if any call failed */
  split(caller: CallerName, calls: number): Promise<Tally> {
    return this.callers.split(caller, calls);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stack.disposeAsync();
  }
}

async function writeObjects(world: World, service: ServiceRecord): Promise<void> {
  const pods = [...world.pods.values()];
  await world.config.write("services", [
    serviceObject(service),
    ...endpointSlices(
      service,
      pods.filter(({ labels }) => labels["app"] === host),
    ),
    ...pods.map((pod) => podObject(pod)),
    istioObject("DestinationRule", host, {
      host,
      subsets: versions.map((version) => ({ name: version, labels: { version } })),
    }),
  ]);
}

function writeRule(world: World, weights: Weights): Promise<void> {
  const route = Object.entries(weights).map(([subset, weight]) => ({
    destination: { host, subset },
    weight,
  }));
  return world.config.write("rule", [
    istioObject("VirtualService", host, { hosts: [host], http: [{ route }] }),
  ]);
}
