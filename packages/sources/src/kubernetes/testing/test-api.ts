import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import type { RawObject } from "../collection.ts";
import { fieldsOf } from "../fields.ts";
import type { KubeConfig } from "../kube-config.ts";
import { PlainKubeConfig } from "../plain-kube-config.ts";

interface Held {
  readonly objects: Map<string, RawObject>;
  /** What was sent to watches, in its order. */
  readonly events: { readonly version: number; readonly line: string }[];
  readonly watches: Set<ServerResponse>;
}

type Answer = (response: ServerResponse, url: URL) => void;

/**
 * Speaks the protocol of lists and watches over HTTP, and makes the faults that a real API server cannot be brought to
 * make when a test wants them. The end-to-end tests are about a real one.
 */
export class TestApi {
  /** Path and query of every request, in their order. */
  readonly requests: URL[] = [];
  /** Objects in one page, whatever is asked for. */
  pageSize = 2;
  private readonly collections = new Map<string, Held>();
  private readonly answers: {
    readonly matches: (url: URL) => boolean;
    readonly answer: Answer;
    left: number;
  }[] = [];
  private readonly server: Server;
  private version = 100;
  /** Moments before this one are forgotten. */
  private oldest = 0;

  private constructor() {
    this.server = createServer((request, response) => this.handle(request, response));
  }

  /** @param paths of the collections that it serves, all empty */
  static async start(...paths: readonly string[]): Promise<TestApi> {
    const api = new TestApi();
    for (const path of paths) api.serve(path);
    await new Promise<void>((resolve) => api.server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => api.close());
    return api;
  }

  get config(): KubeConfig {
    const { port } = this.server.address() as AddressInfo;
    return new PlainKubeConfig({ server: `http://127.0.0.1:${port}`, token: { value: "secret" } });
  }

  serve(path: string): void {
    this.collections.set(path, { objects: new Map(), events: [], watches: new Set() });
  }

  /** The kind is gone. */
  unserve(path: string): void {
    for (const watch of this.held(path).watches) watch.end();
    this.collections.delete(path);
  }

  put(path: string, name: string, fields: Readonly<Record<string, unknown>> = {}): void {
    const held = this.held(path);
    const type = held.objects.has(name) ? "MODIFIED" : "ADDED";
    const { metadata, ...rest } = fields;
    const object = {
      metadata: {
        ...fieldsOf(metadata),
        name,
        namespace: "default",
        resourceVersion: String(++this.version),
      },
      ...rest,
    };
    held.objects.set(name, object);
    this.tell(held, { type, object });
  }

  remove(path: string, name: string): void {
    const held = this.held(path);
    const object = held.objects.get(name);
    if (object === undefined) throw new Error(`there is no ${name} in ${path}`);
    held.objects.delete(name);
    const metadata = { ...object.metadata, resourceVersion: String(++this.version) };
    this.tell(held, { type: "DELETED", object: { ...object, metadata } });
  }

  bookmark(path: string): void {
    const metadata = { resourceVersion: String(++this.version) };
    this.tell(this.held(path), { type: "BOOKMARK", object: { metadata } });
  }

  /** Breaks every connection that a watch stands on, after these bytes. */
  cut(path: string, lastWords = ""): void {
    for (const watch of this.held(path).watches) {
      if (lastWords === "") watch.destroy();
      else watch.write(lastWords, () => watch.destroy());
    }
  }

  /** Sends this to whoever watches. */
  say(path: string, text: string): void {
    for (const watch of this.held(path).watches) watch.write(text);
  }

  /** Forgets what happened up to now, as etcd does when it is compacted. */
  forget(): void {
    this.oldest = ++this.version;
  }

  /** Answers the next requests that match otherwise. @param times how many; default 1 */
  next(matches: (url: URL) => boolean, answer: Answer, times = 1): void {
    this.answers.push({ matches, answer, left: times });
  }

  watching(path: string): number {
    return this.collections.get(path)?.watches.size ?? 0;
  }

  lists(path: string): URL[] {
    return this.requests.filter((url) => url.pathname === path && !url.searchParams.has("watch"));
  }

  private held(path: string): Held {
    const held = this.collections.get(path);
    if (held === undefined) throw new Error(`${path} is not served`);
    return held;
  }

  private tell(held: Held, event: object): void {
    const line = `${JSON.stringify(event)}\n`;
    held.events.push({ version: this.version, line });
    for (const watch of held.watches) watch.write(line);
  }

  private handle(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? "/", "http://test");
    this.requests.push(url);
    if (request.headers.authorization !== "Bearer secret") return refuse(response, 401, "Unauthorized");
    const other = this.answers.find(({ matches, left }) => left > 0 && matches(url));
    if (other !== undefined) {
      other.left--;
      return other.answer(response, url);
    }
    const held = this.collections.get(url.pathname);
    const kinds = this.kindsIn(url.pathname);
    if (kinds.length > 0) return void response.end(JSON.stringify({ resources: kinds }));
    if (held === undefined) return refuse(response, 404, "404 page not found");
    if (url.searchParams.has("watch")) this.watch(held, url, response);
    else this.list(held, url, response);
  }

  /** What a group's version says of itself. */
  private kindsIn(path: string): { readonly name: string }[] {
    return [...this.collections.keys()]
      .filter((served) => served.slice(0, served.lastIndexOf("/")) === path)
      .map((served) => ({ name: served.slice(served.lastIndexOf("/") + 1) }));
  }

  private list({ objects }: Held, url: URL, response: ServerResponse): void {
    const [moment, from] = (url.searchParams.get("continue") ?? `${this.version}-0`).split("-").map(Number);
    if ((moment ?? 0) < this.oldest)
      return refuse(response, 410, "The provided continue parameter is too old");
    const begin = from ?? 0;
    const items = [...objects.values()].slice(begin, begin + this.pageSize);
    const end = begin + items.length;
    const more = end < objects.size ? { continue: `${moment}-${end}` } : {};
    response.end(JSON.stringify({ metadata: { resourceVersion: String(moment), ...more }, items }));
  }

  private watch(held: Held, url: URL, response: ServerResponse): void {
    const since = Number(url.searchParams.get("resourceVersion"));
    if (since < this.oldest) {
      const object = { kind: "Status", code: 410, message: `too old resource version: ${since}` };
      response.end(`${JSON.stringify({ type: "ERROR", object })}\n`);
      return;
    }
    response.flushHeaders();
    for (const { version, line } of held.events) if (version > since) response.write(line);
    held.watches.add(response);
    response.on("close", () => held.watches.delete(response));
  }

  private close(): Promise<void> {
    this.server.closeAllConnections();
    return new Promise((resolve) => this.server.close(() => resolve()));
  }
}

export function refuse(response: ServerResponse, status: number, message: string): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify({ kind: "Status", code: status, message }));
}
