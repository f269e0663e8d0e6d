import { describeObject, type FieldPath, type Problem, problemOf } from "../config-object.ts";
import { compareAddresses, type Service } from "../model.ts";

export interface MergedService {
  readonly service: Service;
  /** Of the services given, those that are part of it; their endpoints are its own. */
  readonly parts: readonly Service[];
  readonly problems: readonly Problem[];
}

/**
 * What several objects say of one host is one service: the first one's, with the ports and addresses that ServiceEntries
 * of the same namespace add. Others do not count (Istio does the same).
 * @param services at least one, in the order in which they count
 */
export function mergeServices(services: readonly Service[]): MergedService {
  const [first, ...others] = services;
  if (first === undefined) throw new Error("there must be a service to merge");
  const problems: Problem[] = [];
  const parts = [first];
  for (const other of others) {
    const why = whyApart(first, other);
    if (why === undefined) {
      parts.push(other);
      continue;
    }
    const text = `${other.hostname} is ${describeObject(first.object)} already, ${why}; this one does not count`;
    problems.push(problemOf("warning", other.object, hostField(other), text));
  }
  return { service: parts.length === 1 ? first : parts.reduce(joined), parts, problems };
}

const hostField = ({ object }: Service): FieldPath =>
  object.kind === "EgressRule" ? ["spec", "destination"] : ["spec", "hosts"];

function whyApart(first: Service, other: Service): string | undefined {
  const isEntry = ({ object }: Service): boolean => object.kind === "ServiceEntry";
  if (!isEntry(first) || !isEntry(other)) return "and can be only one";
  if (first.namespace !== other.namespace) return `in namespace ${first.namespace}`;
  if (first.resolution !== other.resolution) return "of another resolution";
  return undefined;
}

function joined(first: Service, other: Service): Service {
  return {
    ...first,
    ports: unique([...first.ports, ...other.ports], ({ port, transport }) => `${port}/${transport}`).sort(
      (a, b) => a.port - b.port || (a.transport < b.transport ? -1 : 1),
    ),
    addresses: unique([...first.addresses, ...other.addresses], (bytes) => bytes.join(".")).sort(
      compareAddresses,
    ),
    addressBlocks: unique([...first.addressBlocks, ...other.addressBlocks], (text) => text).sort(),
    identities: unique([...first.identities, ...other.identities], (text) => text).sort(),
  };
}

/** Of those with one key, the first. */
function unique<T>(all: readonly T[], keyOf: (one: T) => string): T[] {
  const found = new Map<string, T>();
  for (const one of all) if (!found.has(keyOf(one))) found.set(keyOf(one), one);
  return [...found.values()];
}
