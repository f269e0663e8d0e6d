import { create, type DescMessage, type MessageShape } from "@bufbuild/protobuf";
import type { Resource } from "@keelson/protos";
import {
  type EndpointSet,
  EndpointSetSchema,
  type Service as ServiceMessage,
  ServiceSchema,
} from "@keelson/protos/policy";
import type { CompiledService } from "./compile-service.ts";
import { isForNodes } from "./left-alone.ts";
import { nodeEndpointSet, resource } from "./resource.ts";

type Resources = ReadonlyMap<string, Resource>;

/** What nodes get of services. */
export interface NodeResources {
  readonly services: Resources;
  readonly endpointSets: Resources;
  /** Sets of destinations that do not exist. */
  readonly absent: ReadonlyMap<string, EndpointSet>;
}

/** What was made of a message stays as long as that. */
const services = new WeakMap<ServiceMessage, Resource>();
const endpointSets = new WeakMap<EndpointSet, Resource>();

export const serviceResource = (message: ServiceMessage): Resource =>
  known(services, message, () => resource(ServiceSchema, message.hostname, message));

export const endpointSetResource = (set: EndpointSet): Resource =>
  known(endpointSets, set, () => resource(EndpointSetSchema, set.name, nodeEndpointSet(set)));

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
  for (const { service, message, ports } of compiled) {
    if (!isForNodes(service)) continue;
    nodeServices.set(service.hostname, serviceResource(message.value));
    for (const { destinations } of ports.value) {
      for (const { endpointSet: name } of destinations) {
        const set = sets.get(name) ?? before?.absent.get(name) ?? create(EndpointSetSchema, { name });
        if (!sets.has(name)) absent.set(name, set);
        nodeSets.set(name, endpointSetResource(set));
      }
    }
  }
  return { services: nodeServices, endpointSets: nodeSets, absent };
}

function known<Desc extends DescMessage>(
  made: WeakMap<MessageShape<Desc>, Resource>,
  message: MessageShape<Desc>,
  make: () => Resource,
): Resource {
  const before = made.get(message);
  if (before !== undefined) return before;
  const fresh = make();
  made.set(message, fresh);
  return fresh;
}
