import { create } from "@bufbuild/protobuf";
import type { Resource } from "@keelson/protos";
import { type EndpointSet, EndpointSetSchema } from "@keelson/protos/policy";
import type { CompiledService } from "./compile-service.ts";
import { endpointSetsOf } from "./resolve-routes.ts";
import { nodeEndpointSet, resource } from "./resource.ts";

type Resources = ReadonlyMap<string, Resource>;

/** What nodes get of services. */
export interface NodeResources {
  readonly services: Resources;
  readonly endpointSets: Resources;
  /** Sets of destinations that do not exist. */
  readonly absent: ReadonlyMap<string, EndpointSet>;
}

/** What was made of a set stays as long as that. */
const known = new WeakMap<EndpointSet, Resource>();

export function endpointSetResource(set: EndpointSet): Resource {
  const before = known.get(set);
  if (before !== undefined) return before;
  const made = resource(EndpointSetSchema, set.name, nodeEndpointSet(set));
  known.set(set, made);
  return made;
}

/**
 * @param sets of all services
 * @param before whose empty sets are used again
 */
export function nodeResources(
  compiled: Iterable<CompiledService>,
  sets: ReadonlyMap<string, EndpointSet>,
  before: NodeResources | undefined,
): NodeResources {
  const nodeServices = new Map<string, Resource>();
  const nodeSets = new Map<string, Resource>();
  const absent = new Map<string, EndpointSet>();
  for (const { service, forNodes, ports } of compiled) {
    if (forNodes === undefined) continue;
    nodeServices.set(service.hostname, forNodes.value);
    for (const port of ports.value) {
      for (const name of endpointSetsOf(port)) {
        const set = sets.get(name) ?? before?.absent.get(name) ?? create(EndpointSetSchema, { name });
        if (!sets.has(name)) absent.set(name, set);
        nodeSets.set(name, endpointSetResource(set));
      }
    }
  }
  return { services: nodeServices, endpointSets: nodeSets, absent };
}
