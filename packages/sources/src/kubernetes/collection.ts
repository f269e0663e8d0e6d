import { ApiError } from "./api-error.ts";
import type { ApiServer } from "./api-server.ts";
import { splitLines } from "./json-lines.ts";

/** An object as the API server sends it; only what every object has is known. */
export interface RawObject {
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string | undefined;
    readonly resourceVersion?: string;
    readonly [field: string]: unknown;
  };
  readonly [field: string]: unknown;
}

/** Where the objects of one kind are read. */
export interface Collection {
  /** Empty for Kubernetes' core. */
  readonly group: string;
  readonly version: string;
  /** "virtualservices" */
  readonly plural: string;
  /** Only objects that fit are sent: "status.phase!=Failed". */
  readonly fieldSelector?: string;
  /** "istio.io/rev=default" */
  readonly labelSelector?: string;
}

export interface Page {
  readonly items: readonly RawObject[];
  /** Of the collection when it was listed: where a watch goes on. */
  readonly resourceVersion: string;
}

export type WatchEvent =
  | { readonly type: "ADDED" | "MODIFIED" | "DELETED"; readonly object: RawObject }
  | { readonly type: "BOOKMARK"; readonly object: Pick<RawObject, "metadata"> };

/** Objects in one answer of a list: some hundred, so that neither side holds the whole collection as text. */
const pageSize = 500;

const listIdleMs = 60_000;

/** Kubernetes bounds an object to 1.5 MiB in etcd, some kinds to less; JSON may need several times as much. */
const maximumLineBytes = 16 * 1024 * 1024;

/** "virtualservices.networking.istio.io", "pods". */
export const collectionName = ({ plural, group }: Collection): string =>
  group === "" ? plural : `${plural}.${group}`;

const apiPath = ({ group, version }: Collection): string =>
  group === "" ? `/api/${version}` : `/apis/${group}/${version}`;

/** @param namespace the only one that is read; empty: all */
function pathOf(collection: Collection, namespace: string, namespaced: boolean): string {
  const within = namespaced && namespace !== "" ? `/namespaces/${namespace}` : "";
  return `${apiPath(collection)}${within}/${collection.plural}`;
}

export interface CollectionReaderOptions {
  readonly api: ApiServer;
  readonly collection: Collection;
  readonly namespaced: boolean;
  /** The only namespace that is read; empty: all. */
  readonly namespace: string;
  readonly signal: AbortSignal;
}

/** Lists and watches one collection; it holds nothing of it. */
export class CollectionReader {
  private readonly options: CollectionReaderOptions;

  constructor(options: CollectionReaderOptions) {
    this.options = options;
  }

  get collection(): Collection {
    return this.options.collection;
  }

  /** All objects of one moment, page by page. @throws ApiError with status 410 if the moment is too long ago for the next page. */
  async *list(): AsyncGenerator<Page> {
    let next = "";
    do {
      const query = { limit: String(pageSize), ...(next === "" ? {} : { continue: next }) };
      const answer = await this.options.api.getJson(this.path(query), {
        signal: this.options.signal,
        idleMs: listIdleMs,
      });
      const { items, resourceVersion, more } = readList(answer);
      yield { items, resourceVersion };
      next = more;
    } while (next !== "");
  }

  /**
   * Changes since a moment, until the server ends the answer.
   * @param forSeconds after which the server is to end it
   * @param onOpen called when the server has said yes
   * @throws ApiError with status 410 if the moment is too long ago; Error if the answer is cut off.
   */
  async *watch(resourceVersion: string, forSeconds: number, onOpen: () => void): AsyncGenerator<WatchEvent> {
    const query = {
      watch: "true",
      allowWatchBookmarks: "true",
      resourceVersion,
      timeoutSeconds: String(forSeconds),
    };
    const { api, signal } = this.options;
    // The server ends the answer by itself; a peer that has vanished does not even do that.
    const stream = await api.getStream(this.path(query), { signal, idleMs: (forSeconds + 30) * 1000 });
    onOpen();
    for await (const line of splitLines(stream, maximumLineBytes)) yield readEvent(line);
  }

  /** Whether the server has the kind at all, which everybody may ask (the role system:discovery). */
  async isServed(): Promise<boolean> {
    const { api, collection, signal } = this.options;
    const answer = await api.getJson(apiPath(collection), { signal, idleMs: listIdleMs }).catch((error) => {
      if (error instanceof ApiError && error.status === 404) return {};
      throw error;
    });
    const kinds: unknown = isRecord(answer) ? answer["resources"] : [];
    return Array.isArray(kinds) && kinds.some((kind) => isRecord(kind) && kind["name"] === collection.plural);
  }

  private path(query: Readonly<Record<string, string>>): string {
    const { collection, namespace, namespaced } = this.options;
    const { fieldSelector, labelSelector } = collection;
    const search = new URLSearchParams({
      ...query,
      ...(fieldSelector === undefined ? {} : { fieldSelector }),
      ...(labelSelector === undefined ? {} : { labelSelector }),
    });
    return `${pathOf(collection, namespace, namespaced)}?${search.toString()}`;
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const textOf = (value: unknown, otherwise = ""): string => (typeof value === "string" ? value : otherwise);

function isObject(value: unknown): value is RawObject {
  return isRecord(value) && isRecord(value["metadata"]) && typeof value["metadata"]["name"] === "string";
}

function readList(answer: unknown): Page & { readonly more: string } {
  if (!isRecord(answer) || !isRecord(answer["metadata"])) throw new Error("the answer is no list of objects");
  const { resourceVersion, continue: more } = answer["metadata"];
  // An empty list may be null.
  const items: unknown = answer["items"] ?? [];
  if (!Array.isArray(items) || !items.every(isObject)) throw new Error("the answer is no list of objects");
  return { items, resourceVersion: textOf(resourceVersion), more: textOf(more) };
}

function readEvent(line: string): WatchEvent {
  const event: unknown = JSON.parse(line);
  if (!isRecord(event) || !isRecord(event["object"])) throw new Error("a line of the watch is no event");
  const { type, object } = event;
  if (type === "ERROR") {
    const { code, message } = object;
    throw new ApiError(typeof code === "number" ? code : 500, textOf(message, "the watch failed"));
  }
  if (type === "BOOKMARK" && isRecord(object["metadata"])) {
    const { resourceVersion } = object["metadata"];
    return { type, object: { metadata: { name: "", resourceVersion: textOf(resourceVersion) } } };
  }
  if ((type === "ADDED" || type === "MODIFIED" || type === "DELETED") && isObject(object))
    return { type, object };
  throw new Error(`a line of the watch is no event that is known, but of type ${JSON.stringify(type)}`);
}
