import type { Resource } from "@keelson/protos";
import type { Changes, FirstRequest, Source } from "./changes.ts";
import { difference } from "./difference.ts";
import { isInOrder } from "./in-order.ts";
import { type Rejection, Rejections } from "./rejections.ts";
import { absent, type Told } from "./told.ts";
import { noResources, type Resources } from "./view.ts";

/**
 * What one stream wants of one type, and what its client was told.
 * (Envoy's xDS protocol document, "How the client specifies what resources to return", "Incremental xDS".)
 */
export class Subscription {
  private readonly wildcardType: boolean;
  private readonly canonical: (name: string) => string;
  private wildcard = false;
  private readonly names = new Set<string>();
  /**
   * The list that the client was brought to last: it was told all of it that is wanted, but for `exceptions`. Taken or
   * rejected: a resource is sent again when it changes, and its removal is told, because a client may take a part of
   * what it rejects.
   */
  private base: Resources = noResources;
  private readonly exceptions = new Map<string, Told>();
  /** Something of `exceptions` is to be told whatever becomes of the list. */
  private unsettled = false;
  /** Names whose state must be told, whatever was told before. */
  private readonly owed = new Set<string>();
  private readonly rejections = new Rejections();

  /**
   * @param wildcardType whether a first request without names wants everything
   * @param canonical the copy of a name that is kept: names of requests are strings of their own, which thousands of
   * streams would keep thousands of times.
   */
  constructor(wildcardType = true, canonical = (name: string): string => name) {
    this.wildcardType = wildcardType;
    this.canonical = canonical;
  }

  /** How many names the client made this keep. */
  get size(): number {
    return Math.max(this.names.size, this.owed.size);
  }

  /** Whether the client was not brought to any list yet, by what it wants now. */
  get isFresh(): boolean {
    return this.base === noResources;
  }

  /** Names that the client asked for one by one. */
  get wanted(): Iterable<string> {
    return this.names;
  }

  get isWildcard(): boolean {
    return this.wildcard;
  }

  /** Whether the client was told all that it wants of a list. */
  isUpTo(list: Resources): boolean {
    return this.base === list && this.owed.size === 0 && !this.unsettled;
  }

  /** The last nack, until all that was rejected has been replaced or removed, and that was acked. */
  get rejection(): Rejection | undefined {
    return this.rejections.last;
  }

  open({ subscribe, unsubscribe, initialVersions }: FirstRequest): void {
    const held = Object.entries(initialVersions);
    // A first request that names nothing is a wildcard, as it was before "*" could be said.
    if (this.wildcardType && subscribe.length === 0 && unsubscribe.length === 0) this.setWildcard(true);
    this.subscribe(subscribe);
    // What is held of other types was asked for by name.
    if (!this.wildcardType) this.subscribe(held.map(([name]) => name));
    for (const [name, version] of held) {
      if (!this.wants(name)) continue;
      this.exceptions.set(name, { version, resource: undefined });
      this.owed.delete(name);
    }
    this.findAgain();
    this.unsubscribe(unsubscribe);
  }

  /**
   * A name that is asked for is sent even if it was sent before: the client may have dropped it meanwhile. The wildcard
   * is no name: asking for it twice changes nothing.
   */
  subscribe(names: readonly string[]): void {
    for (const name of names) {
      if (name === "*") {
        this.setWildcard(true);
      } else {
        const kept = this.canonical(name);
        this.names.add(kept);
        this.owed.add(kept);
      }
    }
  }

  /** Names that were never asked for are ignored. */
  unsubscribe(names: readonly string[]): void {
    if (names.length === 0) return;
    for (const name of names) {
      if (name === "*") this.setWildcard(false);
      // Only the server knows whether the wildcard includes the name, so that the client may have to keep it.
      else if (this.names.delete(name) && this.wildcard) this.owed.add(name);
    }
    this.forgetUnwanted();
  }

  /**
   * Makes `names` all that is wanted, which most acks repeat; "*" among them is everything.
   * @returns whether anything is wanted that was not before.
   */
  replace(names: readonly string[]): boolean {
    if (!this.wildcard && isInOrder(this.names, names)) return false;
    const wanted = new Set(names);
    const added = names.filter((name) => name !== "*" && !this.names.has(name));
    const wasWildcard = this.wildcard;
    this.setWildcard(wanted.has("*"));
    for (const name of this.names) if (!wanted.has(name)) this.names.delete(name);
    this.subscribe(added);
    this.forgetUnwanted();
    return added.length > 0 || (this.wildcard && !wasWildcard);
  }

  /** Makes these names, or all, be told again if they were told. */
  repeat(names: Iterable<string> = this.toldNames()): void {
    for (const name of names) if (this.wants(name) && this.wasTold(name)) this.owed.add(name);
  }

  /** What the client must be told of what it asked for by name; it counts as told from now on. */
  answer(source: Source): Changes {
    const { added, missing } = this.owedOf(source);
    this.record(this.base, added, missing);
    if (source.resources !== this.base) this.findAgain();
    return { added, missing, gone: [] };
  }

  /**
   * What the client must be told to be brought to the source's list; it counts as told from now on.
   * @param withRemovals whether what is gone may be told now; else it is in a later answer.
   */
  advance(source: Source, withRemovals: boolean): Changes {
    const { added, missing } = this.owedOf(source);
    const lost: string[] = [];
    for (const [name, told] of this.exceptions) {
      if (this.owed.has(name)) continue;
      const resource = this.find(source, name);
      if (resource !== undefined && resource.version !== told.version) added.push(resource);
      if (resource === undefined && told !== absent) lost.push(name);
    }
    this.compareLists(source, added, lost);
    this.record(source.resources, added, missing);
    const gone = withRemovals ? lost : [];
    for (const name of gone) this.noteAbsent(name);
    this.unsettled = lost.length > gone.length;
    return { added, missing, gone };
  }

  /** What the client was told beside the list is looked at again, although the list may be the same. */
  findAgain(): void {
    this.unsettled = this.exceptions.size > 0;
  }

  /** Everything that the client should hold by what it was told. */
  *held(): Generator<Resource> {
    for (const [name, resource] of this.wildcard ? this.base : this.named())
      if (!this.exceptions.has(name)) yield resource;
    for (const { resource } of this.exceptions.values()) if (resource !== undefined) yield resource;
  }

  /**
   * The client has read a response with `names`, and may hold them even if it had ended the subscription when the
   * response was sent, and has renewed it since.
   * @returns whether it may hold anything that was thought to be dropped.
   */
  mayHold(names: Iterable<string>): boolean {
    let found = false;
    for (const name of names) {
      if (!this.wants(name) || this.wasTold(name)) continue;
      this.exceptions.set(name, { version: undefined, resource: undefined });
      this.unsettled = found = true;
    }
    return found;
  }

  /** The client took a response that was about `names`. */
  acked(names: Iterable<string>): void {
    this.rejections.acked(names);
  }

  /** The client rejected a response that was about `names`. It is not sent again: it would be rejected again. */
  nacked(rejection: Rejection, names: readonly string[]): void {
    this.rejections.add(
      rejection,
      names.filter((name) => this.wants(name)),
    );
  }

  private owedOf(source: Source): { added: Resource[]; missing: string[] } {
    const added: Resource[] = [];
    const missing: string[] = [];
    for (const name of this.owed) {
      const resource = this.find(source, name);
      if (resource === undefined) missing.push(name);
      else added.push(resource);
    }
    return { added, missing };
  }

  /** What became of the list since the client was brought to it; names that are gone stay told until that is told. */
  private compareLists(source: Source, added: Resource[], lost: string[]): void {
    if (source.resources === this.base) return;
    const { changed, gone } = difference(this.base, source.resources);
    const isNews = (name: string): boolean =>
      this.wants(name) && !this.owed.has(name) && !this.exceptions.has(name);
    for (const name of this.ofInterest(changed)) {
      const resource = changed.get(name);
      if (resource !== undefined && isNews(name)) added.push(resource);
    }
    for (const name of this.ofInterest(gone)) {
      const old = this.base.get(name);
      if (old === undefined || !gone.has(name) || !isNews(name)) continue;
      const stray = this.names.has(name) ? source.lookup(name) : undefined;
      this.exceptions.set(name, { version: old.version, resource: old });
      if (stray === undefined) lost.push(name);
      else if (stray.version !== old.version) added.push(stray);
    }
  }

  /** Names of a list that may be wanted; the shorter way of the two. */
  private ofInterest(list: { readonly size: number; keys(): Iterable<string> }): Iterable<string> {
    return this.wildcard || list.size < this.names.size ? list.keys() : this.names;
  }

  private record(list: Resources, added: readonly Resource[], missing: readonly string[]): void {
    for (const [name, { version }] of this.exceptions)
      if (version !== undefined && list.get(name)?.version === version) this.exceptions.delete(name);
    for (const resource of added) {
      const { name, version } = resource;
      if (list.get(name) === resource) this.exceptions.delete(name);
      else this.exceptions.set(name, { version, resource });
    }
    for (const name of missing) this.noteAbsent(name);
    this.owed.clear();
    this.base = list;
  }

  private noteAbsent(name: string): void {
    if (this.names.has(name)) this.exceptions.set(name, absent);
    else this.exceptions.delete(name);
  }

  private find(source: Source, name: string): Resource | undefined {
    return source.resources.get(name) ?? (this.names.has(name) ? source.lookup(name) : undefined);
  }

  private *named(): Generator<[string, Resource]> {
    for (const name of this.names) {
      const resource = this.base.get(name);
      if (resource !== undefined) yield [name, resource];
    }
  }

  private *toldNames(): Generator<string> {
    yield* this.wildcard ? this.base.keys() : this.names;
    yield* this.exceptions.keys();
  }

  private wasTold(name: string): boolean {
    const told = this.exceptions.get(name);
    return told === undefined ? this.base.has(name) : told !== absent;
  }

  private wants(name: string): boolean {
    return this.wildcard || this.names.has(name);
  }

  /** What the list says counts for all names with the wildcard, and for these names alone without it. */
  private setWildcard(wildcard: boolean): void {
    if (this.wildcard === wildcard) return;
    for (const [name, resource] of this.named()) {
      if (!this.exceptions.has(name)) this.exceptions.set(name, { version: resource.version, resource });
    }
    this.base = noResources;
    this.wildcard = wildcard;
    this.findAgain();
  }

  private forgetUnwanted(): void {
    for (const known of [this.exceptions, this.owed]) {
      for (const name of known.keys()) if (!this.wants(name)) known.delete(name);
    }
    this.rejections.keep((name) => this.wants(name));
  }
}
