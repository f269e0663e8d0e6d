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
 * namespace of its own. All hang on one bridge, so that the way between them is the same; each node has an applier.
 */
export class Ground {
  readonly world: World;
  readonly near: Served;
  readonly far: Served;
  /** Sends from a cgroup that no program hangs on. */
  readonly plainLoad: HttpLoad;
  /** Sends from the caller's pod, whose connections the node decides. */
  readonly podLoad: HttpLoad;

  private constructor(world: World, parts: Pick<Ground, "near" | "far" | "plainLoad" | "podLoad">) {
    this.world = world;
    this.near = parts.near;
    this.far = parts.far;
    this.plainLoad = parts.plainLoad;
    this.podLoad = parts.podLoad;
  }

  static async open(name: string): Promise<Ground> {
    const world = await World.open(name);
    try {
      await world.addPods({ name: "caller" }, { name: "near" }, { name: "far", node: 2 });
      const [near, far] = [await serve(world, "near"), await serve(world, "far")];
      await world.config.write("ground", [
        ...[near, far].flatMap(({ service, pod }) => [
          serviceObject(service),
          ...endpointSlices(service, [pod]),
        ]),
        ...[...world.pods.values()].map((pod) => podObject(pod)),
      ]);
      await world.startControlPlane();
      await world.startApplier(1);
      await world.startApplier(2);
      await world.settled();
      const { cgroup } = world.pod("caller").place;
      return new Ground(world, {
        near,
        far,
        plainLoad: await startLoad(world, "plain", world.systemCgroup),
        podLoad: await startLoad(world, "pod", cgroup),
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

  /** Requests that both servers have answered. */
  async served(): Promise<number> {
    const [near, far] = await Promise.all([this.near.server.counters(), this.far.server.counters()]);
    return near.requests + far.requests;
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

function startLoad(world: World, name: string, cgroup: string): Promise<HttpLoad> {
  const { namespace, logFolder } = world.pod("caller").place;
  return HttpLoad.start({
    title: `the caller (${name})`,
    cgroup,
    namespace,
    logFile: join(logFolder, `load-${name}.log`),
  });
}
