import type { Resource } from "@keelson/protos";

/** Why a node did not take a response. */
export interface Rejection {
  readonly version: string;
  readonly message: string;
  readonly at: Date;
}

export interface Difference {
  readonly added: readonly Resource[];
  readonly removed: readonly string[];
}

type Resources = ReadonlyMap<string, Resource>;

/**
 * What one stream wants of one type, and what its client holds as far as it has said so.
 * (Envoy's xDS protocol document, "Incremental xDS".)
 */
export class Subscription {
  wildcard = false;
  readonly names = new Set<string>();
  /** The first request of a type is answered even when there is nothing to send. */
  owesResponse = true;
  sentVersion = "";
  ackedVersion = "";
  rejection: Rejection | undefined;
  private readonly held = new Map<string, string>();
  /** Resource → version that the client rejected: not sent again before it changes. */
  private readonly rejected = new Map<string, string>();
  /** Names asked for that do not exist, and that the client was told so. */
  private readonly toldMissing = new Set<string>();

  /** What the client says it holds from an earlier stream. Only a stream's first request of a type may say so. */
  resume(versions: Readonly<Record<string, string>>): void {
    for (const [name, version] of Object.entries(versions)) this.held.set(name, version);
  }

  subscribe(names: readonly string[]): void {
    for (const name of names) {
      if (name === "*") {
        this.wildcard = true;
        continue;
      }
      // A name that is asked for again is sent again: the client says that it has lost it.
      if (this.names.has(name)) this.held.delete(name);
      this.names.add(name);
      this.toldMissing.delete(name);
    }
  }

  unsubscribe(names: readonly string[]): void {
    for (const name of names) {
      if (name === "*") this.wildcard = false;
      else this.names.delete(name);
    }
    for (const known of [this.held, this.rejected, this.toldMissing]) {
      for (const name of known.keys()) if (!this.wants(name)) known.delete(name);
    }
  }

  /** What the client lacks of `resources`, and what it holds that is gone. */
  difference(resources: Resources): Difference {
    const candidates = this.wildcard ? resources.values() : this.named(resources);
    const added = [...candidates].filter(
      ({ name, version }) => this.held.get(name) !== version && this.rejected.get(name) !== version,
    );
    const gone = [...this.held.keys()].filter((name) => this.wants(name) && !resources.has(name));
    const missing = [...this.names].filter(
      (name) => !resources.has(name) && !this.held.has(name) && !this.toldMissing.has(name),
    );
    return { added, removed: [...gone, ...missing] };
  }

  acked(version: string, { added, removed }: Difference): void {
    this.ackedVersion = version;
    this.rejection = undefined;
    for (const resource of added) {
      this.rejected.delete(resource.name);
      this.toldMissing.delete(resource.name);
      // What was unsubscribed meanwhile is not held any more.
      if (this.wants(resource.name)) this.held.set(resource.name, resource.version);
    }
    this.forget(removed);
  }

  /** The client took nothing of the response; removals are not repeated all the same, they would fail again. */
  nacked(rejection: Rejection, { added, removed }: Difference): void {
    this.rejection = rejection;
    for (const resource of added) this.rejected.set(resource.name, resource.version);
    this.forget(removed);
  }

  private wants(name: string): boolean {
    return this.wildcard || this.names.has(name);
  }

  private *named(resources: Resources): Generator<Resource> {
    for (const name of this.names) {
      const resource = resources.get(name);
      if (resource !== undefined) yield resource;
    }
  }

  private forget(names: readonly string[]): void {
    for (const name of names) {
      this.held.delete(name);
      this.rejected.delete(name);
      if (this.names.has(name)) this.toldMissing.add(name);
    }
  }
}
