import {
  compareLocations,
  describeObject,
  formatLocation,
  objectKey,
  type Problem,
  problemOf,
} from "./config-object.ts";
import type { KnownObject } from "./kinds/index.ts";

type ObjectOf<Kind extends string, Group extends string> = Extract<KnownObject, { kind: Kind; group: Group }>;

/** What an update brought and took away. */
export interface Changes<Kind extends string, Group extends string> {
  readonly added: readonly ObjectOf<Kind, Group>[];
  readonly removed: readonly ObjectOf<Kind, Group>[];
}

/** The objects of one kind, each name once. */
interface KindObjects {
  /** Sorted by key; the same list as long as nothing changes. */
  sorted: readonly KnownObject[];
  added: KnownObject[];
  removed: KnownObject[];
}

/**
 * The objects of all sources, by kind, each name once: of objects of one name the one counts whose origin sorts first.
 * An update costs what it changes, and a look at each object.
 */
export class ObjectSet {
  private given: readonly KnownObject[] = none;
  /** How many times each object was given: sources may say the same thing twice. */
  private readonly counts = new Map<KnownObject, number>();
  /** Key → all objects of that name, the one that counts first. */
  private readonly byKey = new Map<string, readonly KnownObject[]>();
  private readonly kinds = new Map<string, KindObjects>();
  private readonly doubled = new Set<string>();

  update(objects: readonly KnownObject[]): void {
    for (const kind of this.kinds.values()) {
      kind.added = [];
      kind.removed = [];
    }
    const { gone, fresh } = this.difference(objects);
    // Which of several objects of one name counts may change without any of them.
    const keys = new Set([...this.doubled, ...gone.map(objectKey), ...fresh.map(objectKey)]);
    const before = new Map([...keys].map((key) => [key, this.byKey.get(key)?.[0]]));
    for (const object of gone) this.change(object, (all) => all.filter((other) => other !== object));
    for (const object of fresh)
      this.change(object, (all) => (all.length === 0 ? [object] : [...all, object]));
    this.orderDoubles(objects);
    for (const key of keys) this.note(before.get(key), this.byKey.get(key)?.[0]);
    for (const kind of this.kinds.values()) kind.sorted = mergeSorted(kind.sorted, kind, byKey);
  }

  /** Sorted by namespace, then by name. */
  of<Kind extends KnownObject["kind"], Group extends KnownObject["group"]>(
    kind: Kind,
    group: Group,
  ): readonly ObjectOf<Kind, Group>[] {
    return narrowed(this.kinds.get(`${kind}.${group}`)?.sorted ?? none);
  }

  /** What the last update changed among the objects that count. */
  changes<Kind extends KnownObject["kind"], Group extends KnownObject["group"]>(
    kind: Kind,
    group: Group,
  ): Changes<Kind, Group> {
    const { added = [], removed = [] } = this.kinds.get(`${kind}.${group}`) ?? {};
    return { added: narrowed(added), removed: narrowed(removed) };
  }

  /** What is to be said of objects that stand twice. */
  problems(): Problem[] {
    return [...this.doubled].sort().flatMap((key) => {
      const [first, ...others] = this.byKey.get(key) ?? [];
      return others.map((object) => {
        const where = formatLocation(first?.origin.locate([]) ?? { file: "" });
        const text = `${describeObject(object)} stands at ${where}, too; that one counts`;
        return problemOf("error", object, ["metadata", "name"], text);
      });
    });
  }

  /** Sources keep what did not change in its place, so only what lies between two equal ends is looked at. */
  private difference(objects: readonly KnownObject[]): { gone: KnownObject[]; fresh: KnownObject[] } {
    const before = this.given;
    this.given = objects;
    const shorter = Math.min(before.length, objects.length);
    let start = 0;
    while (start < shorter && before[start] === objects[start]) start++;
    let end = 0;
    const [lastOld, lastNow] = [before.length - 1, objects.length - 1];
    while (end < shorter - start && before[lastOld - end] === objects[lastNow - end]) end++;
    const [old, now] = [before.slice(start, before.length - end), objects.slice(start, objects.length - end)];
    const touched = new Map([...old, ...now].map((object) => [object, this.counts.get(object) ?? 0]));
    for (const object of old) this.count(object, -1);
    for (const object of now) this.count(object, 1);
    const changed = [...touched];
    return {
      gone: changed
        .filter(([object, count]) => count > 0 && !this.counts.has(object))
        .map(([object]) => object),
      fresh: changed
        .filter(([object, count]) => count === 0 && this.counts.has(object))
        .map(([object]) => object),
    };
  }

  private count(object: KnownObject, difference: 1 | -1): void {
    const count = (this.counts.get(object) ?? 0) + difference;
    if (count === 0) this.counts.delete(object);
    else this.counts.set(object, count);
  }

  private change(object: KnownObject, how: (all: readonly KnownObject[]) => readonly KnownObject[]): void {
    const key = objectKey(object);
    const all = how(this.byKey.get(key) ?? none);
    if (all.length === 0) this.byKey.delete(key);
    else this.byKey.set(key, all);
    if (all.length > 1) this.doubled.add(key);
    else this.doubled.delete(key);
  }

  /** By place; what has no place of its own, as it was given. */
  private orderDoubles(objects: readonly KnownObject[]): void {
    if (this.doubled.size === 0) return;
    const given = Map.groupBy(
      objects.filter((object) => this.doubled.has(objectKey(object))),
      objectKey,
    );
    for (const [key, all] of given) this.byKey.set(key, [...new Set(all)].sort(byPlace));
  }

  private note(before: KnownObject | undefined, after: KnownObject | undefined): void {
    if (before === after) return;
    const some = before ?? after;
    if (some === undefined) return;
    const name = `${some.kind}.${some.group}`;
    const kind = this.kinds.get(name) ?? { sorted: none, added: [], removed: [] };
    this.kinds.set(name, kind);
    if (before !== undefined) kind.removed.push(before);
    if (after !== undefined) kind.added.push(after);
  }
}

const none: readonly never[] = [];

const byPlace = (a: KnownObject, b: KnownObject): number =>
  compareLocations(a.origin.locate([]), b.origin.locate([]));

const byKey = (a: KnownObject, b: KnownObject): number => {
  const [first, second] = [objectKey(a), objectKey(b)];
  return first < second ? -1 : first > second ? 1 : 0;
};

/**
 * Merges what came into what stays: both are sorted, so no sort of everything is needed.
 * @param removed elements of `sorted`
 * @param compare tells any two elements apart that are not for the same place
 */
function mergeSorted<T>(
  sorted: readonly T[],
  { added, removed }: { readonly added: readonly T[]; readonly removed: readonly T[] },
  compare: (a: T, b: T) => number,
): readonly T[] {
  if (added.length + removed.length === 0) return sorted;
  const edit = (element: T, isGone: boolean) => ({
    at: lowerBound(sorted, element, compare),
    element,
    isGone,
  });
  const edits = [
    ...added.toSorted(compare).map((element) => edit(element, false)),
    ...removed.map((element) => edit(element, true)),
  ].sort((a, b) => a.at - b.at);
  const all: T[] = [];
  let from = 0;
  const copyUntil = (end: number): void => {
    for (; from < end; from++) all.push(sorted[from] as T);
  };
  for (const { at, element, isGone } of edits) {
    copyUntil(at);
    if (isGone) from = at + 1;
    else all.push(element);
  }
  copyUntil(sorted.length);
  return all;
}

/** Index of the first element that is not before another one. */
function lowerBound<T>(sorted: readonly T[], element: T, compare: (a: T, b: T) => number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compare(sorted[middle] as T, element) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Sound: lists are kept by the very fields that tell the members of the union apart. */
const narrowed = <Kind extends string, Group extends string>(
  objects: readonly KnownObject[],
): readonly ObjectOf<Kind, Group>[] =>
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  objects as readonly ObjectOf<Kind, Group>[];
