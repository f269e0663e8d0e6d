import { join } from "node:path";
import { makeCgroup, processesIn } from "../../world/cgroups.ts";
import { endpointSlices, podObject, type ServiceRecord, serviceObject } from "../../world/objects.ts";
import type { Pod } from "../../world/pod.ts";
import { World } from "../../world/world.ts";
import { HttpLoad } from "./http-load.ts";
import { HttpServer } from "./http-server.ts";

export const servicePort = 80;
export const targetPort = 8080;

/** A server's pod, the service that it alone answers, and its program. */
export interface Served {
  readonly pod: Pod;
  readonly service: ServiceRecord;
  readonly server: HttpServer;
  /** Where the same program listens without any network. */
  readonly unixPath: string;
}

/**
 * What all rows are measured on: a caller on one node, a server on the same node and one on another, each in a network
 * namespace of its own; and a caller and a server on a node that counts requests. All hang on one bridge, so that the way
 * between them is the same; each node has an applier.
 */
export class Ground {
  readonly world: World;
  readonly near: Served;
  readonly far: Served;
  /** On the node that counts requests. */
  readonly counted: Served;
  /** Sends from a cgroup that no program hangs on. */
  readonly plainLoad: HttpLoad;
  /** Sends from the caller's pod, whose connections the node decides. */
  readonly podLoad: HttpLoad;
  /** The same on the node that counts requests. */
  readonly countedLoad: HttpLoad;

  private constructor(
    world: World,
    parts: Pick<Ground, "near" | "far" | "counted" | "plainLoad" | "podLoad" | "countedLoad">,
  ) {
    this.world = world;
    this.near = parts.near;
    this.far = parts.far;
    this.counted = parts.counted;
    this.plainLoad = parts.plainLoad;
    this.podLoad = parts.podLoad;
    this.countedLoad = parts.countedLoad;
  }

  static async open(name: string): Promise<Ground> {
    const world = await World.open(name);
    try {
      await world.addPods(
        { name: "caller" },
        { name: "near" },
        { name: "far", node: 2 },
        { name: "counted-caller", node: 3 },
        { name: "counted", node: 3 },
      );
      const near = await serve(world, "near");
      const far = await serve(world, "far");
      const counted = await serve(world, "counted");
      await world.config.write("ground", [
        ...[near, far, counted].flatMap(({ service, pod }) => [
          serviceObject(service),
          ...endpointSlices(service, [pod]),
        ]),
        ...[...world.pods.values()].map((pod) => podObject(pod)),
      ]);
      await world.startControlPlane();
      await world.startApplier(1);
      await world.startApplier(2);
      await world.startApplier(3, { sockets: "count" });
      await world.settled();
      return new Ground(world, {
        near,
        far,
        counted,
        plainLoad: await startLoad(world, "caller", "plain", world.systemCgroup),
        podLoad: await startLoad(world, "caller", "pod"),
        countedLoad: await startLoad(world, "counted-caller", "counted"),
      });
    } catch (error) {
      await world.close();
      throw error;
    }
  }

  /** A cgroup for what stands between caller and server, so that its processes can be told apart. */
  async makeCgroup(name: string): Promise<string> {
    const cgroup = join(this.world.systemCgroup, name);
    await makeCgroup(cgroup);
    return cgroup;
  }

  /** All processes of the world: callers, servers, control plane, appliers, and what stands between. */
  processes(): Promise<number[]> {
    return processesIn(join(this.world.systemCgroup, ".."));
  }

  /** Requests that all servers have answered. */
  async served(): Promise<number> {
    const servers = [this.near, this.far, this.counted];
    const counters = await Promise.all(servers.map(({ server }) => server.counters()));
    return counters.reduce((sum, { requests }) => sum + requests, 0);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.world.close();
  }
}

async function serve(world: World, name: string): Promise<Served> {
  const pod = world.pod(name);
  const service = await world.addService(name, [{ name: "http", port: servicePort, targetPort }]);
  const unixPath = join(world.names.folder, `${name}.sock`);
  const { cgroup, namespace, logFolder } = pod.place;
  const server = await HttpServer.start([String(targetPort), unixPath], {
    title: `the server of pod ${name}`,
    cgroup,
    namespace,
    logFile: join(logFolder, `${name}.log`),
  });
  return { pod, service, server, unixPath };
}

/** @param cgroup the pod's by default */
function startLoad(world: World, pod: string, name: string, cgroup?: string): Promise<HttpLoad> {
  const { place } = world.pod(pod);
  return HttpLoad.start({
    title: `the caller (${name})`,
    cgroup: cgroup ?? place.cgroup,
    namespace: place.namespace,
    logFile: join(place.logFolder, `load-${name}.log`),
  });
}
