import type { Resource } from "@keelson/protos";

/** Why a node did not take a response. */
export interface Rejection {
  /** system_version_info of the response. */
  readonly version: string;
  readonly message: string;
  readonly at: Date;
}

/** What a client must be told of one type. */
export interface Changes {
  /** Resources that are new or changed, or that the client asked for again. */
  readonly added: readonly Resource[];
  /** Names asked for that do not exist. */
  readonly missing: readonly string[];
  /** Names of resources that the client was told of and that are gone. */
  readonly gone: readonly string[];
}

/** The part of a stream's first request of a type that says what is wanted and what is held already. */
export interface FirstRequest {
  readonly subscribe: readonly string[];
  readonly unsubscribe: readonly string[];
  /** Resource name → version that is held from an earlier stream. */
  readonly initialVersions: Readonly<Record<string, string>>;
}

type Resources = ReadonlyMap<string, Resource>;

/**
 * What one stream wants of one type, and what its client was told.
 * (Envoy's xDS protocol document, "Incremental xDS".)
 */
export class Subscription {
  /** system_version_info of the last response sent, "" before the first. */
  sentVersion = "";
  /** The same of the last response acked. */
  ackedVersion = "";
  /** The last nack, until all that was rejected has been replaced or removed, and that was acked. */
  rejection: Rejection | undefined;
  private wildcard = false;
  private readonly names = new Set<string>();
  /**
   * Resource → version that the client was sent last, or says that it holds; undefined: some version that it may or may
   * not hold. Taken or rejected: it is sent again when it changes, and its removal is told, because a client may take a
   * part of what it rejects.
   */
  private readonly told = new Map<string, string | undefined>();
  /** Names whose state must be told, whatever was told before. */
  private readonly owed = new Set<string>();
  /** Names in rejected responses, until a later response about them is acked. */
  private readonly rejected = new Set<string>();
  private answered = false;

  /** How many names the client made this keep. */
  get size(): number {
    return Math.max(this.names.size, this.owed.size);
  }

  /** Whether the first request has had its response. It gets one even when there is nothing to send. */
  get isAnswered(): boolean {
    return this.answered;
  }

  open({ subscribe, unsubscribe, initialVersions }: FirstRequest): void {
    // A first request that names nothing is a wildcard, as it was before "*" could be said.
    if (subscribe.length === 0 && unsubscribe.length === 0) this.wildcard = true;
    this.subscribe(subscribe);
    for (const [name, version] of Object.entries(initialVersions)) {
      if (!this.wants(name)) continue;
      this.told.set(name, version);
      this.owed.delete(name);
    }
    this.unsubscribe(unsubscribe);
  }

  /**
   * A name that is asked for is sent even if it was sent before: the client may have dropped it meanwhile. The wildcard
   * is no name: asking for it twice changes nothing.
   */
  subscribe(names: readonly string[]): void {
    for (const name of names) {
      if (name === "*") {
        this.wildcard = true;
      } else {
        this.names.add(name);
        this.owed.add(name);
      }
    }
  }

  /** Names that were never asked for are ignored. */
  unsubscribe(names: readonly string[]): void {
    if (names.length === 0) return;
    for (const name of names) {
      if (name === "*") this.wildcard = false;
      // Only the server knows whether the wildcard includes the name, so that the client may have to keep it.
      else if (this.names.delete(name) && this.wildcard) this.owed.add(name);
    }
    for (const known of [this.told, this.owed]) {
      for (const name of known.keys()) if (!this.wants(name)) known.delete(name);
    }
    this.settle([...this.rejected].filter((name) => !this.wants(name)));
  }

  /**
   * What the client must be told to be brought to `resources`; it counts as told from now on.
   * @param withRemovals whether what is gone may be told now; else it is in a later answer.
   */
  advance(resources: Resources, withRemovals: boolean): Changes {
    const candidates = this.wildcard ? resources.values() : this.named(resources);
    const added = [...candidates].filter(
      ({ name, version }) => this.owed.has(name) || this.told.get(name) !== version,
    );
    const missing = [...this.owed].filter((name) => !resources.has(name));
    for (const name of missing) this.told.delete(name);
    const gone = withRemovals ? [...this.told.keys()].filter((name) => !resources.has(name)) : [];
    for (const name of gone) this.told.delete(name);
    for (const { name, version } of added) this.told.set(name, version);
    this.owed.clear();
    this.answered = true;
    return { added, missing, gone };
  }

  /**
   * The client has read a response with `names`, and may hold them even if it had ended the subscription when the
   * response was sent, and has renewed it since.
   * @returns whether it may hold anything that was thought to be dropped.
   */
  mayHold(names: Iterable<string>): boolean {
    const before = this.told.size;
    for (const name of names) if (this.wants(name) && !this.told.has(name)) this.told.set(name, undefined);
    return this.told.size > before;
  }

  /** The client took a response that was about `names`. */
  acked(version: string, names: Iterable<string>): void {
    this.ackedVersion = version;
    if (this.rejected.size === 0) this.rejection = undefined;
    this.settle(names);
  }

  /** The client rejected a response that was about `names`. It is not sent again: it would be rejected again. */
  nacked(rejection: Rejection, names: Iterable<string>): void {
    this.rejection = rejection;
    for (const name of names) if (this.wants(name)) this.rejected.add(name);
  }

  /** What was rejected of these names does not matter any more. */
  private settle(names: Iterable<string>): void {
    if (this.rejected.size === 0) return;
    for (const name of names) this.rejected.delete(name);
    if (this.rejected.size === 0) this.rejection = undefined;
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
}
