import { join } from "node:path";
import { missingPeers, requirePeer } from "../../peers/peer-cache.ts";
import type { Applier } from "../../world/applier.ts";
import { makeCgroup, processesIn } from "../../world/cgroups.ts";
import {
  endpointSlices,
  type KubernetesObject,
  podObject,
  type ServiceRecord,
  serviceObject,
  versionSubsets,
  virtualService,
} from "../../world/objects.ts";
import type { Pod } from "../../world/pod.ts";
import { until } from "../../world/until.ts";
import { World } from "../../world/world.ts";
import { HttpLoad } from "./http-load.ts";
import { HttpServer } from "./http-server.ts";

export const servicePort = 80;
export const targetPort = 8080;
/** The node whose relay is an Envoy. */
export const envoyNode = 6;

/** A server's pod, the service that it alone answers, and its program. The pod's label "version" is its name. */
export interface Served {
  readonly pod: Pod;
  readonly service: ServiceRecord;
  readonly server: HttpServer;
  /** Where the same program listens without any network. */
  readonly unixPath: string;
}

/**
 * What all rows are measured on: a caller on one node, a server on the same node and one on another, each in a network
 * namespace of its own; a caller and a server on a node that counts requests; a caller on one that switches them; a caller and
 * a server on one where they go past TCP; and a caller where the relay is an Envoy. All hang on one bridge, so that the way
 * between them is the same; each node has an applier.
 */
export class Ground {
  readonly world: World;
  readonly near: Served;
  readonly far: Served;
  /** On the node that counts requests. */
  readonly counted: Served;
  /** A service of both servers whose rule looks at each request; all that are sent here go to the far one. */
  readonly routed: ServiceRecord;
  /** Sends from a cgroup that no program hangs on. */
  readonly plainLoad: HttpLoad;
  /** Sends from the caller's pod, whose connections the node decides. */
  readonly podLoad: HttpLoad;
  /** The same on the node that counts requests. */
  readonly countedLoad: HttpLoad;
  /** The same on the node that switches requests. */
  readonly switchedLoad: HttpLoad;
  /** The same on a node whose relay is an Envoy; undefined: there is none. */
  readonly envoyLoad: HttpLoad | undefined;
  /** The same on the node where what can go past TCP does. */
  readonly queuedLoad: HttpLoad;
  /** On that node. */
  readonly queued: Served;

  private constructor(
    world: World,
    parts: Pick<
      Ground,
      | "near"
      | "far"
      | "counted"
      | "queued"
      | "routed"
      | "plainLoad"
      | "podLoad"
      | "countedLoad"
      | "switchedLoad"
      | "envoyLoad"
      | "queuedLoad"
    >,
  ) {
    this.world = world;
    this.near = parts.near;
    this.far = parts.far;
    this.counted = parts.counted;
    this.routed = parts.routed;
    this.plainLoad = parts.plainLoad;
    this.podLoad = parts.podLoad;
    this.countedLoad = parts.countedLoad;
    this.switchedLoad = parts.switchedLoad;
    this.envoyLoad = parts.envoyLoad;
    this.queued = parts.queued;
    this.queuedLoad = parts.queuedLoad;
  }

  static async open(name: string): Promise<Ground> {
    const world = await World.open(name);
    try {
      const envoy = (await missingPeers("envoy")) === undefined ? await requirePeer("envoy") : undefined;
      const labels = (version: string) => ({ labels: { app: "server", version } });
      await world.addPods(
        { name: "caller" },
        { name: "near", ...labels("near") },
        { name: "far", node: 2, ...labels("far") },
        { name: "counted-caller", node: 3 },
        { name: "counted", node: 3 },
        { name: "switched-caller", node: 4 },
        ...(envoy === undefined ? [] : [{ name: "envoy-caller", node: envoyNode }]),
        { name: "queued-caller", node: 5 },
        { name: "queued", node: 5 },
      );
      const near = await serve(world, "near");
      const far = await serve(world, "far");
      const counted = await serve(world, "counted");
      const queued = await serve(world, "queued");
      const routed = await world.addService("routed", [{ name: "http", port: servicePort, targetPort }]);
      const services = [
        ...[near, far, counted, queued].map(({ service, pod }) => [service, [pod]] as const),
        [routed, [near.pod, far.pod]] as const,
      ];
      await world.config.write("ground", [
        ...services.flatMap(([service, pods]) => [serviceObject(service), ...endpointSlices(service, pods)]),
        ...[...world.pods.values()].map((pod) => podObject(pod)),
      ]);
      await world.config.write(ruleFile, routedRule(routed.name));
      await world.startControlPlane();
      const relayed = [await world.startApplier(1, { relay: "builtin" })];
      await world.startApplier(2);
      await world.startApplier(3, { sockets: "count" });
      relayed.push(await world.startApplier(4, { relay: "builtin", sockets: "switch" }));
      if (envoy !== undefined)
        relayed.push(await world.startApplier(envoyNode, { relay: "envoy", envoy: envoy.program }));
      relayed.push(await world.startApplier(5, { relay: "builtin", sockets: "queue" }));
      const loads = {
        plainLoad: await startLoad(world, "caller", "plain", world.systemCgroup),
        podLoad: await startLoad(world, "caller", "pod"),
        countedLoad: await startLoad(world, "counted-caller", "counted"),
        switchedLoad: await startLoad(world, "switched-caller", "switched"),
        envoyLoad: envoy && (await startLoad(world, "envoy-caller", "envoy")),
        queuedLoad: await startLoad(world, "queued-caller", "queued"),
      };
      await world.settled();
      for (const one of relayed) await relayListens(world, one);
      return new Ground(world, { near, far, counted, queued, routed, ...loads });
    } catch (error) {
      await world.close();
      throw error;
    }
  }

  /**
   * Makes these the only matches of the routed service: what they hold for goes to the near server, all else to the far one.
   * Resolves when the nodes hold it, and those whose programs take requests do so by it.
   */
  async route(matches: readonly unknown[]): Promise<void> {
    await this.world.change((config) => config.write(ruleFile, rulesTo(this.routed.name, matches)));
    const programs = [4, 5].map((node) => this.world.applier(node));
    await until(
      async () => {
        const states = await Promise.all(programs.map((applier) => applier.status()));
        return states.every(({ switching }) => switching?.beingMade === 0);
      },
      { what: "the match table of the rules", timeoutMs: 120_000 },
    );
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
    const servers = [this.near, this.far, this.counted, this.queued];
    const counters = await Promise.all(servers.map(({ server }) => server.counters()));
    return counters.reduce((sum, { requests }) => sum + requests, 0);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.world.close();
  }
}

async function relayListens(world: World, applier: Applier): Promise<void> {
  const pods = [...world.pods.values()].filter(({ node }) => node === applier.node);
  await until(async () => ((await applier.status()).relay?.networks ?? 0) >= pods.length, {
    what: "the relay to listen in the networks of its node's pods",
  });
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

/** In the world's configuration: the rule of the routed service. */
const ruleFile = "rule";

/** Requests of one path go to the near server, all others to the far one. */
const routedRule = (host: string): KubernetesObject[] => rulesTo(host, [{ uri: { exact: "/near" } }]);

/** A route to the near server for each match, in this order, and one to the far server for all else. */
const rulesTo = (host: string, matches: readonly unknown[]): KubernetesObject[] => [
  versionSubsets(host, ["near", "far"]),
  virtualService(host, [
    ...matches.map((match) => ({ match: [match], route: [{ destination: { host, subset: "near" } }] })),
    { route: [{ destination: { host, subset: "far" } }] },
  ]),
];

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
