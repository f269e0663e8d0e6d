import { setTimeout as sleep } from "node:timers/promises";
import { missingPeers } from "../../../peers/peer-cache.ts";
import { envoyNode, type Ground, type Served, servicePort } from "../ground.ts";
import type { Row, Way } from "./row.ts";

/** To an address of a service that one pod answers: each connection is decided once and then native. */
function endpointHome(name: string, what: string, served: (ground: Ground) => Served): Row {
  return { name, what, start: (ground) => Promise.resolve(wayTo(ground, served(ground))) };
}

function wayTo({ world, podLoad }: Ground, { service, pod }: Served): Way {
  const [address = ""] = service.addresses;
  const count = async (): Promise<number> => {
    const edges = await world.applier(1).edges();
    const own = edges.filter(
      ({ source, workload }) => source === "default/caller" && workload === `default/${pod.name}`,
    );
    return Number(own.reduce((sum, { connections }) => sum + connections, 0n));
  };
  return {
    load: podLoad,
    target: { address, port: servicePort },
    processes: () => Promise.resolve([world.applier(1).pid].filter((pid) => pid !== undefined)),
    carried: { what: "connections", count, share: 1 },
  };
}

/** The same node, where an sk_msg program counts each request that the caller sends. */
const countedRow: Row = {
  name: "Keelson, requests counted",
  what: "as on the same node, on a node whose kernel looks at each request",
  start({ world, counted: { service }, countedLoad }) {
    const [address = ""] = service.addresses;
    const applier = world.applier(3);
    return Promise.resolve({
      load: countedLoad,
      target: { address, port: servicePort },
      processes: () => Promise.resolve([applier.pid].filter((pid) => pid !== undefined)),
      carried: {
        what: "requests",
        count: async () =>
          Number((await applier.edges()).reduce((sum, { sentRequests }) => sum + sentRequests, 0n)),
        share: 1,
      },
    });
  },
};

/** To an address of a service whose requests are decided one by one: each goes through the relay on the caller's node. */
function relayHome(name: string, what: string, heads?: string): Row {
  return {
    name,
    what,
    start: (ground) =>
      Promise.resolve({ ...wayOverRelay(ground), ...(heads === undefined ? {} : { heads }) }),
  };
}

function wayOverRelay({ world, podLoad, routed }: Ground, node = 1, load = podLoad): Way {
  const [address = ""] = routed.addresses;
  const count = async (): Promise<number> => {
    const edges = await world.applier(node).edges();
    const own = edges.filter(({ service }) => service.startsWith(`${routed.name}.`));
    return Number(own.reduce((sum, { requests }) => sum + (requests[2] ?? 0n), 0n));
  };
  const processes = async (): Promise<number[]> =>
    [(await world.applier(node).status()).relay?.pid].filter((pid) => pid !== undefined);
  const target = { address, port: servicePort };
  return { load, target, processes, carried: { what: "requests", count, share: 1 } };
}

export const relayRow = relayHome(
  "Keelson relay",
  "the address of a service with a rule by path: each request is decided by the relay on the caller's node",
);

/** Of the bytes of a request and its answer, what programs carry at most, with room for their heads. */
const mostSwitched = 60_000;

/** The same service, on a node whose kernel takes requests off the way to the relay. */
const switched = (
  name: string,
  what: string,
  node: number,
  loadOf: (ground: Ground) => Ground["switchedLoad"],
): Row => ({
  name,
  what,
  start(ground) {
    const [address = ""] = ground.routed.addresses;
    const applier = ground.world.applier(node);
    return Promise.resolve({
      load: loadOf(ground),
      target: { address, port: servicePort },
      fits: ({ mode, size }) => mode !== "connects" && size <= mostSwitched,
      processes: async () => [(await applier.status()).relay?.pid].filter((pid) => pid !== undefined),
      carried: {
        what: "requests",
        count: async () => Number((await applier.status()).statistics["moved_answers"]),
        share: 0.99,
      },
    });
  },
});

export const switchedRow = switched(
  "Keelson, switched over the wire",
  "as by the relay, on a node whose kernel decides each request, and moves it and its answer",
  4,
  ({ switchedLoad }) => switchedLoad,
);

const queuedRow = switched(
  "Keelson, switched, past TCP",
  "the same on a node that moves answers past TCP (--sockets=queue)",
  5,
  ({ queuedLoad }) => queuedLoad,
);

/** Both ends on one node, what they send goes past TCP. */
const shortcutRow: Row = {
  name: "Keelson, same node, past TCP",
  what: "as on the same node, on a node whose kernel counts requests, and moves them and their answers past TCP (--sockets=queue)",
  start({ world, queued: { service }, queuedLoad }) {
    const [address = ""] = service.addresses;
    const applier = world.applier(5);
    return Promise.resolve({
      load: queuedLoad,
      target: { address, port: servicePort },
      fits: ({ mode, size }) => mode !== "connects" && size <= mostSwitched,
      processes: () => Promise.resolve([applier.pid].filter((pid) => pid !== undefined)),
      carried: {
        what: "requests",
        // Of each, it and its answer.
        count: async () => Math.floor(Number((await applier.status()).statistics["shortcuts"]) / 2),
        share: 0.99,
      },
    });
  },
};

/** How long an Envoy may take to tell of the requests that it has answered. */
const tellsWithinMs = 300;

/** The same where the relay is an Envoy, which tells of its requests some time after they have ended. */
const envoyRelayRow: Row = {
  name: "Keelson relay, Envoy",
  what: "the same on a node whose relay is an Envoy that the agent configures (--relay=envoy)",
  missing: () => missingPeers("envoy"),
  start(ground) {
    if (ground.envoyLoad === undefined) throw new Error("there was no Envoy when the world was made");
    const way = wayOverRelay(ground, envoyNode, ground.envoyLoad);
    const count = async (): Promise<number> => {
      await sleep(tellsWithinMs);
      return way.carried?.count() ?? 0;
    };
    return Promise.resolve({ ...way, carried: { what: "requests", count, share: 1 } });
  },
};

export const keelsonRows: readonly Row[] = [
  endpointHome(
    "Keelson, same node",
    "the service's address, endpoint home, server on the caller's node",
    ({ near }) => near,
  ),
  shortcutRow,
  countedRow,
  endpointHome(
    "Keelson, over the wire",
    "the service's address, endpoint home, server on another node with an applier of its own",
    ({ far }) => far,
  ),
  switchedRow,
  queuedRow,
  relayRow,
  envoyRelayRow,
  relayHome(
    "Keelson relay, HTTP/2",
    "the same by a caller that speaks HTTP/2, one stream at a time on each connection, the server HTTP/1.1",
    "http2",
  ),
];
