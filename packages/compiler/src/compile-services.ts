import { type Problem, withValues } from "@keelson/model";
import type { Resource } from "@keelson/protos";
import type { EndpointSet, Service as ServiceMessage } from "@keelson/protos/policy";
import { type CompiledService, compileService } from "./compile-service.ts";
import { endpointSetResource, type NodeResources, nodeResources } from "./node-resources.ts";
import { endpointSetsOf } from "./resolve-routes.ts";
import type { Scene } from "./scene.ts";

/** What became of all services of a model, by hostname. */
export interface CompiledServices {
  readonly compiled: ReadonlyMap<string, CompiledService>;
  readonly messages: ReadonlyMap<string, ServiceMessage>;
  /** Those of destinations that do not exist are there, too, and empty. */
  readonly endpointSets: ReadonlyMap<string, EndpointSet>;
  readonly forNodes: NodeResources;
  /** In the order of the services; the same list as long as nothing else is to be said. */
  readonly problems: readonly Problem[];
  /** Services that depend on others. */
  readonly entangled: readonly string[];
}

/** @param before what became of the services last: what is still right of it is used again */
export function compileServices(scene: Scene, before: CompiledServices | undefined): CompiledServices {
  const compiled = new Map<string, CompiledService>();
  for (const [hostname, service] of scene.model.services)
    compiled.set(hostname, compileService(scene, service, before?.compiled.get(hostname)));
  const all = [...compiled.values()];
  const sets = new Map(all.flatMap((service) => service.sets.map((set) => [set.name, set] as const)));
  const forNodes = nodeResources(all, sets, before?.forNodes);
  return {
    compiled,
    messages: new Map(all.map(({ message: { value } }) => [value.hostname, value])),
    endpointSets: new Map([...sets, ...forNodes.absent]),
    forNodes,
    problems: all.flatMap(({ problems }) => problems.value),
    entangled: all.filter(({ hostnames }) => hostnames.length > 1).map(({ service }) => service.hostname),
  };
}

/**
 * The same as {@link compileServices}, where only some services are others than before: it costs what they are.
 * @param scene with the same rules and hosts as before
 * @param changed hosts of the services that are others or have other endpoints
 * @returns undefined if other sets or resources are there than before: that is for compileServices
 */
export function recompileServices(
  scene: Scene,
  before: CompiledServices,
  changed: ReadonlySet<string>,
): CompiledServices | undefined {
  const { entangled } = before;
  const affected = entangled.filter((hostname) =>
    before.compiled.get(hostname)?.hostnames.some((other) => changed.has(other)),
  );
  const pairs = [...new Set([...changed, ...affected])].flatMap((hostname) => {
    const service = scene.model.services.get(hostname);
    const old = before.compiled.get(hostname);
    if (service === undefined || old === undefined) return [];
    return { hostname, old, now: compileService(scene, service, old) };
  });
  if (!pairs.every(({ old, now }) => hasSameNames(old, now))) return undefined;
  const compiled = withValues(before.compiled, new Map(pairs.map(({ hostname, now }) => [hostname, now])));
  const messages = new Map(pairs.map(({ hostname, now }) => [hostname, now.message.value]));
  const resources = new Map(
    pairs.flatMap(({ hostname, now: { forNodes } }) =>
      forNodes ? [[hostname, forNodes.value] as const] : [],
    ),
  );
  const sets = new Map(pairs.flatMap(({ now }) => now.sets.map((set) => [set.name, set] as const)));
  return {
    compiled,
    messages: withValues(before.messages, messages),
    endpointSets: withValues(before.endpointSets, sets),
    forNodes: patchedForNodes(before.forNodes, resources, sets),
    problems: pairs.every(({ old, now }) => saysTheSame(old, now))
      ? before.problems
      : [...compiled.values()].flatMap(({ problems }) => problems.value),
    entangled,
  };
}

/** Whether the same things are there of both, be they others. */
const hasSameNames = (a: CompiledService, b: CompiledService): boolean =>
  namesOf(a).join() === namesOf(b).join();

const namesOf = ({ sets, ports, forNodes, hostnames }: CompiledService): string[] => [
  ...sets.map(({ name }) => name),
  forNodes === undefined ? "" : "for nodes",
  ...ports.value.flatMap(endpointSetsOf),
  ...hostnames,
];

const saysTheSame = ({ problems: { value: a } }: CompiledService, { problems }: CompiledService): boolean =>
  a === problems.value || a.length + problems.value.length === 0;

function patchedForNodes(
  { services, endpointSets, absent }: NodeResources,
  changed: ReadonlyMap<string, Resource>,
  sets: ReadonlyMap<string, EndpointSet>,
): NodeResources {
  const toldSets = [...sets].filter(([name]) => endpointSets.has(name));
  return {
    services: withValues(services, changed),
    endpointSets: withValues(
      endpointSets,
      new Map(toldSets.map(([name, set]) => [name, endpointSetResource(set)])),
    ),
    absent,
  };
}
