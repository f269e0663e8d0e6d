import { setTimeout as sleep } from "node:timers/promises";
import { ApiError } from "./api-error.ts";
import type { ApiServer } from "./api-server.ts";
import { Backoff } from "./backoff.ts";
import { type Collection, CollectionReader, collectionName, type RawObject } from "./collection.ts";

/** What is known of a collection. */
export type CollectionState =
  /** It has not been listed yet. */
  | "waiting"
  /** It has been listed, and its changes are followed. */
  | "synced"
  /** The server does not serve the kind. */
  | "absent"
  /** The server serves it, but not to us. */
  | "denied";

/** Takes what is read. */
export interface Sink {
  /** Pages of a list follow. */
  beginList(): void;
  page(collection: Collection, items: readonly RawObject[]): void;
  /** The pages since the beginning were all there is. */
  endList(): void;
  set(collection: Collection, item: RawObject): void;
  remove(item: RawObject): void;
  /** There is nothing any more. */
  clear(): void;
}

export interface ListWatchTiming {
  /** Ceilings of the first and of the longest wait after a failure, in ms. */
  readonly backoffMs: number;
  readonly maximumBackoffMs: number;
  /** How long until one looks again for a kind that is not served, or not to us, in ms. */
  readonly absentMs: number;
  /** A server that asks to be left alone (429 with Retry-After) is no trouble until it has done so for this long, in ms. */
  readonly patienceMs: number;
  /** After which the server ends a watch, so that the next one may find another server; up to twice as long, in s. */
  readonly watchSeconds: number;
}

const defaultTiming: ListWatchTiming = {
  backoffMs: 500,
  maximumBackoffMs: 10_000,
  absentMs: 10_000,
  patienceMs: 15_000,
  watchSeconds: 240,
};

export interface ListWatchOptions {
  readonly api: ApiServer;
  /** Where objects may be found: the first that is served to us is read. */
  readonly collections: readonly [Collection, ...Collection[]];
  /** Whether the objects belong to namespaces. */
  readonly namespaced: boolean;
  /** The only namespace that is read; empty: all. */
  readonly namespace: string;
  readonly sink: Sink;
  readonly signal: AbortSignal;
  readonly timing?: Partial<ListWatchTiming>;
  /** Told of every change of `state`, `refusals` or `trouble`. */
  readonly onCondition: () => void;
}

/** A watch that failed so often in a row has lost its place, whatever the server says. */
const lostAfter = 4;

/** A watch that stood for so long did work, in ms. */
const steadyMs = 1000;

/** Reads a collection and follows its changes, through whatever the server does, until it is told to stop. */
export class ListWatch {
  /** What may not be read, and why, in words. */
  refusals: readonly string[] = [];
  /** Why the server cannot be followed just now; empty if it can. */
  trouble = "";
  /** Why changes are only seen by listing again; empty if they are watched. */
  private watchRefusal = "";
  private current: CollectionState = "waiting";
  /** Since when the server asks to be left alone, by performance.now; undefined if it does not. */
  private leftAloneSince: number | undefined;
  private readonly options: ListWatchOptions;
  private readonly timing: ListWatchTiming;
  private readonly backoff: Backoff;

  constructor(options: ListWatchOptions) {
    this.options = options;
    this.timing = { ...defaultTiming, ...options.timing };
    const { backoffMs: firstMs, maximumBackoffMs: mostMs } = this.timing;
    this.backoff = new Backoff({ firstMs, mostMs });
  }

  get state(): CollectionState {
    return this.current;
  }

  /** Ends when the signal says so. */
  async run(): Promise<void> {
    const { signal } = this.options;
    while (!signal.aborted) {
      try {
        const found = await this.listFirstServed();
        if (found === undefined) await this.wait(this.timing.absentMs * (1 + Math.random()));
        else await this.follow(found.reader, found.resourceVersion);
      } catch (error) {
        await this.recover(error as Error);
      }
    }
  }

  /** @returns undefined if nothing is served to us. */
  private async listFirstServed(): Promise<
    { reader: CollectionReader; resourceVersion: string } | undefined
  > {
    const { api, collections, namespaced, namespace, signal } = this.options;
    const refusals = new Set<string>();
    for (const collection of collections) {
      const reader = new CollectionReader({ api, collection, namespaced, namespace, signal });
      try {
        const resourceVersion = await this.list(collection, reader);
        if (this.watchRefusal !== "") refusals.add(this.watchRefusal);
        this.say("synced", [...refusals], "");
        return { reader, resourceVersion };
      } catch (error) {
        if (!(error instanceof ApiError) || (error.status !== 403 && error.status !== 404)) throw error;
        // Who may not read a kind is refused also where there is none.
        if (error.status === 403 && (await reader.isServed()))
          refusals.add(refusalText("list", collection, error));
      }
    }
    const state = refusals.size > 0 ? "denied" : "absent";
    // A server that has just been started may not know all of its kinds yet, so it is asked twice.
    if (state === "absent" && this.current !== "synced") this.options.sink.clear();
    this.say(state, [...refusals], "");
    return undefined;
  }

  /** @returns the moment that was listed. */
  private async list(collection: Collection, reader: CollectionReader): Promise<string> {
    let moment = "";
    this.options.sink.beginList();
    for await (const { items, resourceVersion } of reader.list()) {
      this.options.sink.page(collection, items);
      moment = resourceVersion;
    }
    this.options.sink.endList();
    return moment;
  }

  /** Watches, again and again, until only a new list helps. */
  private async follow(reader: CollectionReader, listed: string): Promise<void> {
    const place = { resourceVersion: listed };
    let failures = 0;
    while (!this.options.signal.aborted) {
      const before = place.resourceVersion;
      const begin = performance.now();
      try {
        await this.watch(reader, place);
      } catch (error) {
        if (error instanceof ApiError && error.status === 403) return this.goWithoutWatch(reader, error);
        if (needsList(error)) throw error;
        failures = place.resourceVersion === before ? failures + 1 : 1;
        if (failures >= lostAfter) throw error;
        await this.recover(error as Error);
        continue;
      }
      failures = 0;
      // One that ends at once did not fail, but must not be asked for without a pause.
      if (place.resourceVersion === before && performance.now() - begin < steadyMs) {
        await this.wait(this.backoff.next());
      } else this.backoff.reset();
    }
  }

  /** Who may list and not watch lists now and then. */
  private async goWithoutWatch({ collection }: CollectionReader, error: ApiError): Promise<void> {
    this.watchRefusal = refusalText("watch", collection, error);
    if (!this.refusals.includes(this.watchRefusal))
      this.say(this.current, [...this.refusals, this.watchRefusal], "");
    await this.wait(this.timing.absentMs * (1 + Math.random()));
  }

  private async watch(reader: CollectionReader, place: { resourceVersion: string }): Promise<void> {
    const { sink } = this.options;
    const seconds = Math.ceil(this.timing.watchSeconds * (1 + Math.random()));
    const opened = (): void => {
      this.watchRefusal = "";
      this.say(this.current, this.refusals, "");
    };
    for await (const { type, object } of reader.watch(place.resourceVersion, seconds, opened)) {
      if (type === "DELETED") sink.remove(object);
      else if (type !== "BOOKMARK") sink.set(reader.collection, object);
      const { resourceVersion = "" } = object.metadata;
      if (resourceVersion !== "") place.resourceVersion = resourceVersion;
      this.backoff.reset();
    }
  }

  /** Says what went wrong, and waits before the next try. */
  private async recover(error: Error): Promise<void> {
    if (this.options.signal.aborted) return;
    const retryAfterMs = error instanceof ApiError ? error.retryAfterMs : 0;
    if (!isForList(error) && !this.isForLater(error))
      this.say(this.current, this.refusals, this.troubleText(error));
    await this.wait(Math.max(this.backoff.next(), retryAfterMs));
  }

  /** Such as while it makes room for a kind that has just been defined, for a second or so. */
  private isForLater(error: Error): boolean {
    if (!(error instanceof ApiError) || error.status !== 429 || error.retryAfterMs === 0) return false;
    this.leftAloneSince ??= performance.now();
    return performance.now() - this.leftAloneSince < this.timing.patienceMs;
  }

  private troubleText(error: Error): string {
    if (!(error instanceof ApiError)) return error.message;
    if (error.status !== 401) return `${error.status}: ${error.message}`;
    return refusalText("list", this.options.collections[0], error);
  }

  private say(state: CollectionState, refusals: readonly string[], trouble: string): void {
    const same =
      state === this.current && trouble === this.trouble && refusals.join() === this.refusals.join();
    this.current = state;
    this.refusals = refusals;
    this.trouble = trouble;
    if (trouble === "") this.leftAloneSince = undefined;
    if (!same) this.options.onCondition();
  }

  private async wait(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.options.signal }).catch(() => undefined);
  }
}

/** A moment that is too long ago, or a kind that is gone, is no trouble: the list that follows helps, or tells. */
const isForList = (error: unknown): boolean =>
  error instanceof ApiError && (error.status === 410 || error.status === 404);

/** Whether a watch that failed so cannot go on where it was. */
const needsList = (error: unknown): boolean =>
  error instanceof ApiError && error.status >= 400 && error.status < 500 && error.status !== 429;

const refusalText = (verb: string, collection: Collection, { status, message }: ApiError): string =>
  `may not ${verb} ${collectionName(collection)} (${status}: ${message})`;
