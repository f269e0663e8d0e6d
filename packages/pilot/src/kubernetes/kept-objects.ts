import { type ApiServer, type Collection, ListWatch, type RawObject, type Sink } from "@keelson/sources";
import type { WriteReport } from "./write-report.ts";

export interface KeptObjectsOptions<T> {
  readonly api: ApiServer;
  readonly collection: Collection;
  readonly namespaced: boolean;
  /** The only namespace that is read; empty: all. */
  readonly namespace?: string;
  /** What is kept of an object: little, and a text or a number where it changes often; undefined: nothing. */
  readonly keep: (item: RawObject) => T | undefined;
  /** Told of each object of which something else is kept now, or nothing. */
  readonly onChange: (key: string) => void;
  /** Told when all has been listed, again and again as that happens. */
  readonly onListed?: () => void;
  /** Told of what may not be read. */
  readonly report?: WriteReport;
}

/** "name", or "namespace/name". */
export const keyOf = ({ metadata: { namespace = "", name } }: RawObject): string =>
  namespace === "" ? name : `${namespace}/${name}`;

/** Objects of a collection by key, as far as those need them who write. */
export class KeptObjects<T extends string | number | boolean> implements Sink {
  readonly kept = new Map<string, T>();
  private readonly options: KeptObjectsOptions<T>;
  private listed = new Set<string>();
  private hasListed = false;

  constructor(options: KeptObjectsOptions<T>) {
    this.options = options;
  }

  /** Whether everything has been listed since `run` was called. */
  get isListed(): boolean {
    return this.hasListed;
  }

  /** Forgets what there was, reads and follows the collection until told to stop. */
  async run(signal: AbortSignal): Promise<void> {
    const { api, collection, namespaced, namespace = "", report } = this.options;
    this.kept.clear();
    this.hasListed = false;
    const what = `${collection.plural}${collection.group === "" ? "" : `.${collection.group}`}`;
    const listWatch: ListWatch = new ListWatch({
      api,
      collections: [collection],
      namespaced,
      namespace,
      sink: this,
      signal,
      onCondition: () => {
        for (const why of listWatch.refusals) report?.refusal(`read ${what}`, why);
        if (listWatch.state === "synced" && listWatch.refusals.length === 0) report?.granted(`read ${what}`);
      },
    });
    await listWatch.run();
  }

  beginList(): void {
    this.listed = new Set();
  }

  page(collection: Collection, items: readonly RawObject[]): void {
    for (const item of items) {
      this.listed.add(keyOf(item));
      this.set(collection, item);
    }
  }

  endList(): void {
    for (const key of this.kept.keys()) if (!this.listed.has(key)) this.put(key, undefined);
    this.listed = new Set();
    this.hasListed = true;
    this.options.onListed?.();
  }

  set(_: Collection, item: RawObject): void {
    this.put(keyOf(item), this.options.keep(item));
  }

  remove(item: RawObject): void {
    this.put(keyOf(item), undefined);
  }

  clear(): void {
    for (const key of this.kept.keys()) this.put(key, undefined);
  }

  private put(key: string, value: T | undefined): void {
    if (this.kept.get(key) === value) return;
    if (value === undefined) this.kept.delete(key);
    else this.kept.set(key, value);
    this.options.onChange(key);
  }
}
