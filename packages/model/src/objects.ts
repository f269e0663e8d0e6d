import {
  compareLocations,
  describeObject,
  formatLocation,
  objectKey,
  type Problem,
  problemOf,
} from "./config-object.ts";
import type { KnownObject } from "./kinds/index.ts";

/** The objects of all sources, each name once, by kind. */
export class ObjectSet {
  private readonly byKind = new Map<string, KnownObject[]>();

  /** @param problems takes what is said of objects that stand twice */
  constructor(objects: readonly KnownObject[], problems: Problem[]) {
    for (const object of withoutDuplicates(objects, problems)) {
      const key = `${object.kind}.${object.group}`;
      const known = this.byKind.get(key);
      if (known === undefined) this.byKind.set(key, [object]);
      else known.push(object);
    }
  }

  of<Kind extends KnownObject["kind"], Group extends KnownObject["group"]>(
    kind: Kind,
    group: Group,
  ): readonly Extract<KnownObject, { kind: Kind; group: Group }>[] {
    const isWanted = (object: KnownObject): object is Extract<KnownObject, { kind: Kind; group: Group }> =>
      object.kind === kind && object.group === group;
    return (this.byKind.get(`${kind}.${group}`) ?? []).filter(isWanted);
  }
}

/** Of objects of one name the one counts whose origin sorts first. */
function withoutDuplicates(objects: readonly KnownObject[], problems: Problem[]): KnownObject[] {
  const chosen = new Map<string, KnownObject>();
  for (const object of objects) {
    const key = objectKey(object);
    const other = chosen.get(key);
    if (other === undefined || compareLocations(object.origin.locate([]), other.origin.locate([])) < 0)
      chosen.set(key, object);
  }
  if (chosen.size === objects.length) return [...objects];
  for (const object of objects) {
    const first = chosen.get(objectKey(object));
    if (first === undefined || first === object) continue;
    const where = formatLocation(first.origin.locate([]));
    const text = `${describeObject(object)} stands at ${where}, too; that one counts`;
    problems.push(problemOf("error", object, ["metadata", "name"], text));
  }
  return [...chosen.values()];
}
