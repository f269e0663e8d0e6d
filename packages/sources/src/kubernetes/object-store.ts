import { isDeepStrictEqual } from "node:util";
import { type KnownObject, type ParsedObject, type Problem, qualifiedName } from "@keelson/model";
import type { SourceEvents } from "../config-source.ts";
import type { Collection, RawObject } from "./collection.ts";
import type { Sink } from "./list-watch.ts";

interface Entry {
  /** As the API server counts; the same one means the same object. */
  readonly resourceVersion: string;
  /** Most objects say one thing; none if there are errors, or if it is not meant for us. */
  readonly objects: KnownObject | readonly KnownObject[];
  readonly problems: readonly Problem[];
  /** Of its first object in the list of all, as long as that list stands. */
  place: number | undefined;
}

/** Makes of an object what is kept of it. */
export type Projection = (collection: Collection, item: RawObject) => readonly ParsedObject[];

/**
 * The objects of one collection, as far as they are read. What is read of an object may stay the same through many of
 * its changes; the object that is kept is the same one then, and nobody is told.
 */
export class ObjectStore implements Sink {
  /** What happened how often. */
  readonly events = new Map<SourceEvents["event"], number>();
  private readonly project: Projection;
  private readonly onChange: () => void;
  private entries = new Map<string, Entry>();
  private listed = new Map<string, Entry>();
  private kept: readonly KnownObject[] | undefined = [];
  private keptProblems: readonly Problem[] | undefined = [];

  /** @param onChange told of every change of `objects` or `problems` */
  constructor(project: Projection, onChange: () => void) {
    this.project = project;
    this.onChange = onChange;
  }

  /** The same list as long as nothing changes. */
  get objects(): readonly KnownObject[] {
    this.kept ??= this.findObjects();
    return this.kept;
  }

  get problems(): readonly Problem[] {
    this.keptProblems ??= [...this.entries.values()].flatMap(({ problems }) => problems);
    return this.keptProblems;
  }

  private findObjects(): KnownObject[] {
    const all: KnownObject[] = [];
    for (const entry of this.entries.values()) {
      entry.place = all.length;
      all.push(...listOf(entry));
    }
    return all;
  }

  beginList(): void {
    this.listed = new Map();
  }

  page(collection: Collection, items: readonly RawObject[]): void {
    for (const item of items) {
      const key = keyOf(item);
      put(this.listed, key, this.entryOf(collection, item, this.entries.get(key)));
    }
  }

  endList(): void {
    const before = this.entries;
    const same =
      before.size === this.listed.size &&
      [...this.listed].every(([key, entry]) => says(before.get(key), entry));
    // Objects that stay keep their place, so that who compares finds what differs between two equal ends.
    for (const key of before.keys()) {
      if (this.listed.has(key)) continue;
      before.delete(key);
      this.count("delete");
    }
    for (const [key, entry] of this.listed) {
      if (before.get(key) !== entry) this.count(eventOf(before.get(key), entry));
      before.set(key, entry);
    }
    this.listed = new Map();
    if (!same) this.changed();
  }

  set(collection: Collection, item: RawObject): void {
    const key = keyOf(item);
    const before = this.entries.get(key);
    const entry = this.entryOf(collection, item, before);
    put(this.entries, key, entry);
    this.count(eventOf(before, entry));
    if (says(before, entry)) entry.place = before?.place;
    else if (!this.replace(before, entry)) this.changed();
  }

  remove(item: RawObject): void {
    const key = keyOf(item);
    const before = this.entries.get(key);
    this.entries.delete(key);
    this.count("delete");
    if (before !== undefined && !says(before, nothing)) this.changed();
  }

  clear(): void {
    if (this.entries.size === 0) return;
    this.entries.clear();
    this.changed();
  }

  private changed(): void {
    this.kept = undefined;
    this.keptProblems = undefined;
    this.onChange();
  }

  /** Puts what is read of one object in the place of what was, as long as that is one thing for one. @returns whether it is */
  private replace(before: Entry | undefined, after: Entry): boolean {
    const object = after.objects;
    if (this.kept === undefined || before?.place === undefined || !isOne(object)) return false;
    if (!isOne(before.objects) || before.problems.length + after.problems.length > 0) return false;
    this.kept = this.kept.with(before.place, object);
    after.place = before.place;
    this.onChange();
    return true;
  }

  private count(event: SourceEvents["event"]): void {
    this.events.set(event, (this.events.get(event) ?? 0) + 1);
  }

  private entryOf(collection: Collection, item: RawObject, before: Entry | undefined): Entry {
    const { resourceVersion = "" } = item.metadata;
    if (before !== undefined && resourceVersion !== "" && before.resourceVersion === resourceVersion)
      return before;
    const made = this.project(collection, item);
    const problems = made.flatMap((one) => one.problems);
    const fresh = made.flatMap(({ object }) => object ?? []);
    const known = before === undefined ? none : listOf(before);
    const objects = fresh.map((object, i) => sameOr(known[i], object));
    const [only = none] = objects;
    return {
      resourceVersion,
      objects: objects.length > 1 ? objects : only,
      problems: problems.length === 0 ? none : problems,
      place: undefined,
    };
  }
}

const none: readonly never[] = [];
const nothing: Entry = { resourceVersion: "", objects: none, problems: none, place: undefined };

const isOne = (objects: Entry["objects"]): objects is KnownObject => !Array.isArray(objects);

const listOf = ({ objects }: Entry): readonly KnownObject[] => (isOne(objects) ? [objects] : objects);

/** The model calls most objects by the same text, which is kept once then. */
function put(entries: Map<string, Entry>, key: string, entry: Entry): void {
  const name = isOne(entry.objects) ? qualifiedName(entry.objects) : "";
  entries.set(name === key ? name : key, entry);
}

/** Joined, since a template makes a string of two parts that stay. */
const keyOf = ({ metadata: { namespace = "", name } }: RawObject): string => [namespace, name].join("/");

function eventOf(before: Entry | undefined, after: Entry): SourceEvents["event"] {
  if (before === undefined) return "add";
  return says(before, after) ? "updatesame" : "update";
}

/** Whether two entries mean the same to a reader. */
const says = (a: Entry = nothing, b: Entry = nothing): boolean =>
  a === b || (areSame(listOf(a), listOf(b)) && isDeepStrictEqual(a.problems, b.problems));

const areSame = (a: readonly KnownObject[], b: readonly KnownObject[]): boolean =>
  a.length === b.length && a.every((object, i) => object === b[i]);

/** The object as it was, if what is read of it is the same. */
const sameOr = (before: KnownObject | undefined, fresh: KnownObject): KnownObject =>
  before !== undefined &&
  before.apiVersion === fresh.apiVersion &&
  isDeepStrictEqual(before.metadata, fresh.metadata) &&
  isDeepStrictEqual(before.body, fresh.body)
    ? before
    : fresh;
