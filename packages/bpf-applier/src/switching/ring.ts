import { createHash } from "node:crypto";
import { ringPoint } from "@keelson/bpf";
import { keyBounds } from "@keelson/compiler/kernel-keys";
import type { Endpoint } from "@keelson/protos/policy";
import type { ConsistentHash } from "@keelson/protos/traffic-policy";
import { defaultRingSize, ringPoints } from "../relay/policy/balancer/hash-ring.ts";
import { type Host, nameOf, newHost } from "../relay/policy/balancer/host.ts";
import { maglevTable } from "../relay/policy/balancer/maglev.ts";
import { endpointIdentifier } from "../slots.ts";

/** What programs find the endpoint of a key in: the relay's own ring, or Maglev table. */
export interface Ring {
  /** The first half of a SHA-256 over its points, never 0: equal rings are one in the maps. */
  readonly id: bigint;
  readonly kind: "ring" | "maglev";
  /** One `ring_point` after the other. */
  readonly points: Uint8Array;
}

/** Endpoints that weigh very differently make a ring larger than it was asked to be. */
const mostPoints = 2 * keyBounds.points;

export type RingShape = Pick<ConsistentHash, "maglevTableSize" | "minimumRingSize">;

/** Rings that somebody holds, by what they are made of: a service's other endpoints and rules change more often. */
const known = new Map<string, WeakRef<Ring>>();
const cleaner = new FinalizationRegistry<string>((text) => {
  if (known.get(text)?.deref() === undefined) known.delete(text);
});

/** The ring if it need not be made. */
export const knownRing = (shape: RingShape, endpoints: readonly Endpoint[]): Ring | undefined =>
  known.get(textOf(shape, endpoints))?.deref();

/** @param endpoints at least one. @returns undefined: it would have more than 8,192 points, which are left to the relay */
export function ringOf(shape: RingShape, endpoints: readonly Endpoint[]): Ring | undefined {
  const text = textOf(shape, endpoints);
  const same = known.get(text)?.deref();
  if (same !== undefined) return same;
  const made = newRing(shape, endpoints);
  if (made !== undefined) {
    known.set(text, new WeakRef(made));
    cleaner.register(made, text);
  }
  return made;
}

/** Equal for what makes equal rings. */
function textOf({ maglevTableSize, minimumRingSize }: RingShape, endpoints: readonly Endpoint[]): string {
  const parts = endpoints.map((endpoint) => `${nameOf(endpoint)} ${endpoint.workload} ${endpoint.weight}`);
  return createHash("sha256")
    .update([maglevTableSize, minimumRingSize, ...parts].join("\n"))
    .digest("base64");
}

/** What a ring takes of the kernel's memory at least, whatever the endpoints are. */
export const leastBytes = ({ maglevTableSize, minimumRingSize }: RingShape): number =>
  bytesOf(
    (Number(maglevTableSize > 0n ? maglevTableSize : minimumRingSize) || defaultRingSize) * ringPoint.size,
  );

function newRing(
  { maglevTableSize, minimumRingSize }: RingShape,
  endpoints: readonly Endpoint[],
): Ring | undefined {
  const hosts = endpoints.map((endpoint) => newHost(nameOf(endpoint), endpoint));
  if (maglevTableSize > 0n) {
    const places = maglevTable(hosts, Number(maglevTableSize));
    return encoded(
      "maglev",
      places.map((host) => ({ hash: 0n, host })),
    );
  }
  const [least, sum] = [Math.min(...endpoints.map(({ weight }) => weight)), total(endpoints)];
  if (sum / least > mostPoints) return undefined;
  const points = ringPoints(hosts, Number(minimumRingSize));
  return points.length > mostPoints ? undefined : encoded("ring", points);
}

const total = (endpoints: readonly Endpoint[]): number =>
  endpoints.reduce((sum, { weight }) => sum + weight, 0);

function encoded(
  kind: Ring["kind"],
  found: readonly { readonly hash: bigint; readonly host: Host | undefined }[],
): Ring {
  const ids = new Map<Host | undefined, bigint>([[undefined, 0n]]);
  const points = new Uint8Array(found.length * ringPoint.size);
  for (const [at, { hash, host }] of found.entries()) {
    let endpoint = ids.get(host);
    if (endpoint === undefined && host !== undefined) {
      endpoint = endpointIdentifier(host.endpoint);
      ids.set(host, endpoint);
    }
    points.set(ringPoint.encode({ hash, endpoint: endpoint ?? 0n }), at * ringPoint.size);
  }
  const id = createHash("sha256").update(kind).update(points).digest().readBigUInt64LE(0);
  return { id: id === 0n ? 1n : id, kind, points };
}

/** What it takes of the kernel's memory. */
export const bytesOfRing = ({ points }: Ring): number => bytesOf(points.length);

/** A map has a part that is the same for few points and many. */
const bytesOf = (points: number): number => Math.max(points, 1_024);

export const pointsIn = ({ points }: Ring): number => points.length / ringPoint.size;
