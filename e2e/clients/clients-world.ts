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
 * node that decides this once for each connection; by the same on a node whose relay decides it for each request. Where agents do
 * something with callers' sockets, which takes a relay, the second way is by a service without a rule, on the servers' node.
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
  readonly sockets: ApplierStart["sockets"];
  private readonly folder: string;

  private constructor(world: World, folder: string, sockets: ApplierStart["sockets"]) {
    this.world = world;
    this.folder = folder;
    this.sockets = sockets;
  }

  /** @param relay what decides requests on the second node; with `sockets` on the first one, too, where it is asked for them */
  static async open(
    name: string,
    servers: readonly Server[],
    relay: ApplierStart = { relay: "builtin" },
  ): Promise<ClientsWorld> {
    const world = await World.open(name);
    try {
      const folder = join(world.names.folder, "caller");
      await mkdir(folder);
      const clients = new ClientsWorld(world, folder, relay.sockets);
      const podRequests = servers.flatMap((server) =>
        versions.map((version) => ({
          name: podName(server, version),
          labels: { app: appName(server), version },
        })),
      );
      await world.addPods({ name: "caller" }, { name: "relayed-caller", node: relayNode }, ...podRequests);
      // As the kubelet has one in each pod before its containers, and with it the pod's network.
      for (const pod of ["caller", "relayed-caller"]) world.pod(pod).start("sleep", "infinity");
      await Promise.all(servers.map((server) => clients.startServer(server)));
      const objects = await Promise.all(servers.map((server) => clients.objectsOf(server)));
      await world.config.write("servers", [
        ...["caller", "relayed-caller"].map((pod) => podObject(world.pod(pod))),
        ...objects.flat(),
      ]);
      await world.startControlPlane();
      await world.startApplier(1, relay.sockets === undefined ? {} : relay);
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
    const hosts: Readonly<Record<Way, string>> = {
      natively: this.world.pod(podName(server, "v1")).ipv4,
      "by connection": this.sockets === undefined ? appName(server) : plainName(server),
      "by request": appName(server),
    };
    const host = hosts[way];
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

  /** Requests that relays, and programs in their stead, have had answered, as far as they have told of them. */
  async relayed(): Promise<number> {
    const nodes = await Promise.all([1, relayNode].map((node) => this.world.applier(node).edges()));
    return nodes
      .flat()
      .flatMap(({ requests }) => Object.values(requests))
      .reduce((sum, count) => sum + Number(count), 0);
  }

  /** Sends that went past TCP on the servers' node. */
  async shortcuts(): Promise<number> {
    return Number((await this.world.applier(1).status()).statistics["shortcuts"] ?? 0);
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
    const ports = [{ name: "http", port, targetPort }];
    const names = [appName(server), ...(this.sockets === undefined ? [] : [plainName(server)])];
    const services = await Promise.all(names.map((name) => this.world.addService(name, ports)));
    return [
      ...services.flatMap((service) => [serviceObject(service), ...endpointSlices(service, pods)]),
      ...pods.map((pod) => podObject(pod)),
      ...halves(appName(server)),
    ];
  }
}

const appName = ({ name }: Server): string => name.toLowerCase();
/** Of the service of its pods that has no rule. */
const plainName = (server: Server): string => `plain-${appName(server)}`;
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
