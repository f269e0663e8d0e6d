import { objectKey, type Problem, problemOf } from "./config-object.ts";
import type { VirtualServiceObject } from "./kinds/index.ts";
import type { ObjectLists } from "./list-memo.ts";
import { Memo } from "./memo.ts";
import type { RouteSource } from "./model.ts";
import { expandDelegates } from "./normalise/delegates.ts";
import type { Normalised } from "./normalise/normalised.ts";
import { normaliseVirtualService, type VirtualServiceParts } from "./normalise/virtual-services.ts";
import { byAge } from "./order.ts";

/** Makes tables of VirtualServices; remembers what it made of objects that did not change. */
export class VirtualServices {
  private readonly domain: string;
  private readonly parts = new Memo<Normalised<VirtualServiceParts>>();
  private readonly expanded = new Memo<Normalised<RouteSource>>();

  constructor(domain: string) {
    this.domain = domain;
  }

  /** The older one first. */
  build(objects: ObjectLists, problems: Problem[]): RouteSource[] {
    const all = objects.of("VirtualService", "networking.istio.io").toSorted(byAge);
    const made = new Map(all.map((object) => [object, this.partsOf(object, problems)]));
    const isRoot = ({ body }: VirtualServiceObject): boolean => body.spec.hosts.length > 0;
    const delegates = new Map(
      all
        .filter((object) => !isRoot(object))
        .map((object) => [`${object.metadata.namespace}/${object.metadata.name}`, made.get(object)]),
    );
    const named = new Set<string>();
    const sources = all.filter(isRoot).flatMap((object) => {
      const parts = made.get(object);
      if (parts === undefined) return [];
      const names = [...parts.delegates.values()];
      for (const name of names) named.add(name);
      const inputs = [parts, ...names.map((name) => delegates.get(name))];
      const expanded = this.expanded.get(objectKey(object), inputs, () =>
        expandDelegates(parts, (name) => delegates.get(name)),
      );
      problems.push(...expanded.problems);
      return [expanded.value];
    });
    problems.push(
      ...all.filter((object) => !isRoot(object)).flatMap((object) => idleDelegate(object, named)),
    );
    for (const memo of [this.parts, this.expanded]) memo.endRound();
    return sources;
  }

  private partsOf(object: VirtualServiceObject, problems: Problem[]): VirtualServiceParts {
    const made = this.parts.get(objectKey(object), [object], () =>
      normaliseVirtualService(object, this.domain),
    );
    problems.push(...made.problems);
    return made.value;
  }
}

function idleDelegate(object: VirtualServiceObject, named: ReadonlySet<string>): Problem[] {
  const name = `${object.metadata.namespace}/${object.metadata.name}`;
  if (named.has(name)) return [];
  const text = "has no effect without hosts: no VirtualService names it as a delegate";
  return [problemOf("warning", object, ["spec"], text, { what: "rule", hostname: name })];
}
