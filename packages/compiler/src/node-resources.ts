import { create, type DescMessage, type MessageShape } from "@bufbuild/protobuf";
import { policyTypeUrls, type Resource, type ResourceSnapshot } from "@keelson/protos";
import {
  type EndpointSet,
  EndpointSetSchema,
  type Service as ServiceMessage,
  ServiceSchema,
} from "@keelson/protos/policy";
import type { CompiledService } from "./compile-service.ts";
import { isForNodes } from "./left-alone.ts";
import { nodeEndpointSet, resource } from "./resource.ts";

/** Makes what nodes get of services; what was made of a message stays as long as that. */
export class NodeResources {
  private readonly services = new WeakMap<ServiceMessage, Resource>();
  private readonly sets = new WeakMap<EndpointSet, Resource>();
  /** Sets of destinations that do not exist: nothing else holds them from one snapshot to the next. */
  private absent: ReadonlyMap<string, EndpointSet> = new Map();

  /** @param sets all there are; those of destinations that do not exist are added, empty */
  of(services: Iterable<CompiledService>, sets: Map<string, EndpointSet>): ResourceSnapshot["resources"] {
    const nodeServices = new Map<string, Resource>();
    const nodeSets = new Map<string, Resource>();
    const absent = new Map<string, EndpointSet>();
    for (const { service, message, ports } of services) {
      if (!isForNodes(service)) continue;
      const { hostname } = service;
      nodeServices.set(
        hostname,
        known(this.services, message.value, () => resource(ServiceSchema, hostname, message.value)),
      );
      for (const { destinations } of ports.value) {
        for (const { endpointSet: name } of destinations) {
          const set = sets.get(name) ?? this.absent.get(name) ?? create(EndpointSetSchema, { name });
          if (!sets.has(name)) absent.set(name, set);
          nodeSets.set(
            name,
            known(this.sets, set, () => resource(EndpointSetSchema, name, nodeEndpointSet(set))),
          );
        }
      }
    }
    for (const [name, set] of absent) sets.set(name, set);
    this.absent = absent;
    return new Map([
      [policyTypeUrls.endpointSet, nodeSets],
      [policyTypeUrls.service, nodeServices],
    ]);
  }
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
