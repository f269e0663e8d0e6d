import type { Destination } from "@keelson/protos/policy";
import type { ConsistentHash } from "@keelson/protos/traffic-policy";

/** What programs look at in requests of a route, to find endpoints by consistent hashing. */
export interface RouteKey {
  readonly kind: "header" | "cookie" | "query" | "source";
  /** Of a header in lower case; of "source" empty. */
  readonly name: string;
  /** A request without it gets one from the relay. */
  readonly isMade: boolean;
  /** How many policies of the route look at it, each of which has a part in the hash. */
  readonly times: number;
}

/** Bytes of a name (`struct name` of the programs), policies of a route, points of a ring, places of a Maglev table. */
export const keyBounds = { name: 64, times: 8, points: 4_096, places: 65_537 } as const;

/** Names with other characters could be read in two ways. */
const plainName = /^[\w.~-]+$/;

type Keyed = readonly Pick<Destination, "policy">[];

const hashesOf = (destinations: Keyed): ConsistentHash[] =>
  destinations.flatMap(({ policy }) => policy?.loadBalancer?.consistentHash ?? []);

/** @returns undefined: programs can do what the destinations' consistent hashing asks for, if anything */
export function whyUnhashed(destinations: Keyed): string | undefined {
  const hashes = hashesOf(destinations);
  const keys = new Set(hashes.map((hash) => JSON.stringify(Object.values(keyOf(hash)))));
  const [first] = hashes;
  if (first === undefined) return undefined;
  if (keys.size > 1) return "consistent hashing by more than one key";
  if (hashes.length > keyBounds.times)
    return `consistent hashing in more than ${keyBounds.times} destinations`;
  const { kind, name } = keyOf(first);
  if (kind !== "source" && (name.length > keyBounds.name || !plainName.test(name)))
    return `consistent hashing by a ${kind} whose name is not plain, or longer than ${keyBounds.name} bytes`;
  if (hashes.some(({ minimumRingSize }) => minimumRingSize > keyBounds.points))
    return `consistent hashing on a ring of more than ${keyBounds.points} points`;
  if (hashes.some(({ maglevTableSize }) => maglevTableSize > keyBounds.places))
    return `consistent hashing by a table of more than ${keyBounds.places} places`;
  return undefined;
}

/** @returns undefined: no destination is found by a key. @throws Error if `whyUnhashed` has a reason */
export function routeKey(destinations: Keyed): RouteKey | undefined {
  const why = whyUnhashed(destinations);
  if (why !== undefined) throw new Error(`no key for ${why}`);
  const hashes = hashesOf(destinations);
  const [first] = hashes;
  return first && { ...keyOf(first), times: hashes.length };
}

function keyOf({ key }: ConsistentHash): Omit<RouteKey, "times"> {
  switch (key.case) {
    case "httpHeaderName":
      return { kind: "header", name: key.value.toLowerCase(), isMade: false };
    case "httpCookie":
      return { kind: "cookie", name: key.value.name, isMade: key.value.ttlMs !== undefined };
    case "httpQueryParameterName":
      return { kind: "query", name: key.value, isMade: false };
    default:
      return { kind: "source", name: "", isMade: false };
  }
}
