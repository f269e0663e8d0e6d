// Steps that many cases have in common.
import { type ChangingScene, NotPossible, type StillScene } from "../case.ts";
import { clustersOf, endpointsOf } from "../peer/contents.ts";
import type { Response } from "../peer/messages.ts";
import type { Peer } from "../peer/peer.ts";
import { shortName, types } from "../peer/types.ts";

/** @returns names of clusters with endpoints by EDS. @throws NotPossible if there are fewer */
export function clustersInStock({ stock }: StillScene, count: number): string[] {
  if (stock.clusters.length >= count) return stock.clusters.slice(0, count);
  throw new NotPossible(
    `the node is served ${stock.clusters.length} clusters with endpoints by EDS; this case needs ${count}`,
  );
}

/** Asks for clusters, endpoints of some of them, listeners and routes, as an Envoy does, and takes the answers. */
export async function followAll(peer: Peer, clusters: readonly string[], routes: readonly string[] = ["80"]) {
  peer.ask(types.cds);
  await peer.take(types.cds);
  peer.ask(types.eds, ...clusters);
  await peer.take(types.eds);
  peer.ask(types.lds);
  await peer.take(types.lds);
  peer.ask(types.rds, ...routes);
  await peer.take(types.rds);
}

/** A stream that is asked for resources of a type, all of them without names, with the first answer taken. */
export async function watching(
  scene: ChangingScene | StillScene,
  typeUrl: string,
  ...names: string[]
): Promise<Peer> {
  const peer = scene.connect();
  peer.ask(typeUrl, ...names);
  await peer.take(typeUrl);
  return peer;
}

/** Endpoints that the peer holds of a cluster; undefined: it holds no such ClusterLoadAssignment. */
export function heldEndpoints(peer: Peer, cluster: string): string[] | undefined {
  const held = peer.held(types.eds).get(cluster);
  return held && endpointsOf(held);
}

/** Takes responses until a cluster has an endpoint at this address. @returns the responses */
export const untilEndpoint = (peer: Peer, cluster: string, address: string): Promise<Response[]> =>
  peer.until(
    () => heldEndpoints(peer, cluster)?.some((each) => each.startsWith(`${address}:`)) === true,
    `an endpoint ${address} of ${cluster}`,
  );

/** Takes responses until the peer holds a resource, or does not any more. @returns the responses */
export const untilHeld = (peer: Peer, typeUrl: string, name: string, held = true): Promise<Response[]> =>
  peer.until(
    () => peer.held(typeUrl).has(name) === held,
    `${shortName(typeUrl)} ${held ? "with" : "without"} ${name}`,
  );

/** All clusters that routes lead to which the peer holds. */
export const routedClusters = (peer: Peer): ReadonlySet<string> =>
  new Set([...peer.held(types.rds).values()].flatMap((route) => [...clustersOf(route)]));

export const namesIn = ({ resources }: Response): string[] => resources.map(({ name }) => name);
