import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { ApplierStart } from "../world/applier.ts";
import {
  endpointSlices,
  type KubernetesObject,
  podObject,
  serviceObject,
  versionSubsets,
  virtualService,
} from "../world/objects.ts";
import { until } from "../world/until.ts";
import { World } from "../world/world.ts";
import type { Place } from "./place.ts";
import type { Server } from "./servers/server.ts";

const port = 80;
const targetPort = 8080;
const versions = ["v1", "v2"] as const;
const relayNode = 2;

/**
 * How a caller reaches a server: without anything of ours; by the name of a service whose rule gives each version half, on a
 * node that decides this once for each connection; by the same on a node whose relay decides it for each request.
 */
export const ways = ["natively", "by connection", "by request"] as const;
export type Way = (typeof ways)[number];

/** The pod of each way's caller. */
const callerPods: Readonly<Record<Way, string>> = {
  natively: "caller",
  "by connection": "caller",
  "by request": "relayed-caller",
};

/** A caller's pod on each of two nodes, of which one has a relay, and for each server two pods behind one service. */
export class ClientsWorld {
  readonly world: World;
  private readonly folder: string;

  private constructor(world: World, folder: string) {
    this.world = world;
    this.folder = folder;
  }

  /** @param relay what decides requests on the second node */
  static async open(
    name: string,
    servers: readonly Server[],
    relay: ApplierStart = { relay: "builtin" },
  ): Promise<ClientsWorld> {
    const world = await World.open(name);
    try {
      const folder = join(world.names.folder, "caller");
      await mkdir(folder);
      const clients = new ClientsWorld(world, folder);
      const podRequests = servers.flatMap((server) =>
        versions.map((version) => ({
          name: podName(server, version),
          labels: { app: appName(server), version },
        })),
      );
      await world.addPods({ name: "caller" }, { name: "relayed-caller", node: relayNode }, ...podRequests);
      // As the kubelet has one in each pod before its containers, and with it the pod's network.
      world.pod("relayed-caller").start("sleep", "infinity");
      await Promise.all(servers.map((server) => clients.startServer(server)));
      const objects = await Promise.all(servers.map((server) => clients.objectsOf(server)));
      await world.config.write("servers", [
        ...["caller", "relayed-caller"].map((pod) => podObject(world.pod(pod))),
        ...objects.flat(),
      ]);
      await world.startControlPlane();
      await world.startApplier();
      const applier = await world.startApplier(relayNode, relay);
      await world.settled();
      await until(async () => (await applier.status()).relay?.networks === 1, {
        what: "the relay to listen in the network of its caller",
      });
      return clients;
    } catch (error) {
      await world.close();
      throw error;
    }
  }

  /** Where callers run, and whom they dial. */
  path(server: Server, way: Way): { readonly place: Place; readonly base: string } {
    const { namespace, cgroup, logFolder } = this.world.pod(callerPods[way]).place;
    const native = way === "natively";
    const host = native ? this.world.pod(podName(server, "v1")).ipv4 : appName(server);
    return {
      place: {
        namespace,
        cgroup: native ? this.world.systemCgroup : cgroup,
        logFile: join(logFolder, "callers.log"),
        folder: this.folder,
      },
      base: native ? `http://${host}:${targetPort}` : `http://${host}`,
    };
  }

  /** Requests that the relay has answered since it started, as far as it has told of them. */
  async relayed(): Promise<number> {
    const edges = await this.world.applier(relayNode).edges();
    return edges
      .flatMap(({ requests }) => Object.values(requests))
      .reduce((sum, count) => sum + Number(count), 0);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.world.close();
  }

  private async startServer(server: Server): Promise<void> {
    for (const version of versions) {
      const pod = this.world.pod(podName(server, version));
      const folder = join(this.world.names.folder, pod.name);
      await mkdir(folder);
      const program = pod.start(...(await server.command(targetPort, folder)));
      const listens = async (): Promise<boolean> => {
        await program.assertAlive();
        return isListening(await readFile(`/proc/${program.pid}/net/tcp6`, "utf8"));
      };
      await until(listens, { what: `${server.name} to listen in pod ${pod.name}` });
    }
  }

  private async objectsOf(server: Server): Promise<KubernetesObject[]> {
    const pods = versions.map((version) => this.world.pod(podName(server, version)));
    const service = await this.world.addService(appName(server), [{ name: "http", port, targetPort }]);
    return [
      serviceObject(service),
      ...endpointSlices(service, pods),
      ...pods.map((pod) => podObject(pod)),
      ...halves(appName(server)),
    ];
  }
}

const appName = ({ name }: Server): string => name.toLowerCase();
const podName = (server: Server, version: string): string => `${appName(server)}-${version}`;

/** Whether a table of sockets (proc(5), /proc/net/tcp6) has one that listens on the servers' port. */
const isListening = (table: string): boolean =>
  table.split("\n").some((line) => {
    const [, local = "", , state] = line.trim().split(/\s+/);
    return state === "0A" && local.endsWith(`:${targetPort.toString(16).toUpperCase()}`);
  });

/** Half of the requests to each version. */
const halves = (host: string): KubernetesObject[] => [
  versionSubsets(host, versions),
  virtualService(host, [
    { route: versions.map((subset) => ({ destination: { host, subset }, weight: 50 })) },
  ]),
];
