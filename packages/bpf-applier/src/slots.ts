import { type SlotValue, slotKey, slotValue } from "@keelson/bpf";
import { type Family, familyOf, formatEndpoint, mapAddress } from "@keelson/model";
import type { Destination, Endpoint } from "@keelson/protos/policy";
import { aliasTable } from "./alias-table.ts";
import { identifierOf } from "./identifier.ts";

export interface Entry {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/** One share of what is drawn for; no endpoint: that share is refused. */
export interface Share {
  readonly weight: number;
  readonly endpoint?: Endpoint;
}

/** @throws Error naming the set, if a destination's set is not known. */
export type EndpointSets = (name: string) => readonly Endpoint[];

/** Shares of a port's connections that go to a destination. */
export function sharesOf(destination: Destination, family: Family, endpointSets: EndpointSets): Share[] {
  const endpoints = endpointSets(destination.endpointSet).filter((e) => familyOf(e.address) === family);
  return spread(destination.weight, endpoints, ({ weight }) => weight);
}

/** Spreads a destination's weight over endpoints by weights of their own. */
export function spread(
  whole: number,
  endpoints: readonly Endpoint[],
  weightOf: (endpoint: Endpoint) => number,
): Share[] {
  const sum = endpoints.reduce((total, endpoint) => total + weightOf(endpoint), 0);
  if (sum === 0) return [{ weight: whole }];
  return endpoints
    .filter((endpoint) => weightOf(endpoint) > 0)
    .map((endpoint) => ({ weight: (whole * weightOf(endpoint)) / sum, endpoint }));
}

export const isReachable = (shares: readonly Share[]): boolean =>
  shares.some(({ endpoint }) => endpoint !== undefined);

/** `endpoint` in keys of edges, slots and pools. */
export function endpointIdentifier(endpoint: Endpoint): bigint {
  return identifierOf("endpoint", formatEndpoint(endpoint.address, endpoint.port), endpoint.workload);
}

/** What stands in a slot beside the draw. */
type Drawn = Omit<SlotValue, "alias" | "threshold">;

const nothing: Drawn = { endpoint: 0n, address: new Uint8Array(16), port: 0, weight: 0 };

function drawnEndpoint(endpoint: Endpoint | undefined): Drawn {
  if (endpoint === undefined) return nothing;
  const { address, port, weight } = endpoint;
  return { endpoint: endpointIdentifier(endpoint), address: mapAddress(address), port, weight };
}

/** An alias table. @param slots first half of its keys */
export function slotEntries(slots: bigint, shares: readonly Share[]): Entry[] {
  return drawEntries(
    slots,
    shares.map(({ weight, endpoint }) => ({ weight, drawn: drawnEndpoint(endpoint) })),
  );
}

/** An alias table of destinations that have a balancer. */
export function destinationEntries(
  slots: bigint,
  shares: readonly { readonly weight: number; readonly id: bigint }[],
): Entry[] {
  return drawEntries(
    slots,
    shares.map(({ weight, id }) => ({ weight, drawn: { ...nothing, endpoint: id } })),
  );
}

/** Slots that are taken in their order, and not drawn. */
export function turnEntries(slots: bigint, endpoints: readonly Endpoint[]): Entry[] {
  return endpoints.map((endpoint, index) => ({
    key: slotKey.encode({ slots, index }),
    value: slotValue.encode({ ...drawnEndpoint(endpoint), alias: index, threshold: 0 }),
  }));
}

function drawEntries(
  slots: bigint,
  shares: readonly { readonly weight: number; readonly drawn: Drawn }[],
): Entry[] {
  return aliasTable(shares.map(({ weight }) => weight)).map(({ threshold, alias }, index) => ({
    key: slotKey.encode({ slots, index }),
    value: slotValue.encode({ ...(shares[index]?.drawn ?? nothing), alias, threshold }),
  }));
}
