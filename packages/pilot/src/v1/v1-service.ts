import type { PolicyIr } from "@keelson/protos";
import {
  type Age,
  goJson,
  parseServiceNode,
  ServiceNodeError,
  UnknownRouteError,
  V1Discovery,
} from "@keelson/xds/v1";
import { goUrl, splitUrl } from "./go-url.ts";
import { ResponseCache } from "./response-cache.ts";
import { parseV1Path, type V1Request } from "./v1-request.ts";

export interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string | Buffer;
}

/** Pilot left the type to Go, which takes its JSON for text. */
const plain = "text/plain; charset=utf-8";
const json = "application/json";

const pageNotFound: Answer = { status: 404, type: plain, body: "404: Page Not Found" };

export interface V1ServiceOptions {
  readonly age: Age;
  /** Whether answers are kept until something changes. */
  readonly caching: boolean;
  /** Of all kept answers; the ones that were asked for the least recently go first. */
  readonly maxCacheBytes: number;
  /** Takes what proxies of this age do not do of the rules, once for each. */
  readonly warn: (message: string) => void;
}

type Named = Exclude<V1Request, { readonly kind: "registration" }>;
type Cached = Exclude<Named, { readonly kind: "az" }>;

/** How Pilot calls what it could not answer. */
const names = {
  endpoints: "EDS",
  clusters: "CDS",
  listeners: "LDS",
  routes: "RDS",
  az: "AvailabilityZone",
} as const;

/** Answers v1 REST discovery from the newest policy IR. */
export class V1Service {
  private readonly options: V1ServiceOptions;
  private readonly policy: () => PolicyIr | undefined;
  private readonly cache: ResponseCache;
  private current: { readonly ir: PolicyIr; readonly discovery: V1Discovery } | undefined;
  private warned: ReadonlySet<string> = new Set();

  constructor(policy: () => PolicyIr | undefined, options: V1ServiceOptions) {
    this.policy = policy;
    this.options = options;
    this.cache = new ResponseCache(options.maxCacheBytes);
  }

  /** @param url of a request for something below /v1/; its escapes are UTF-8 */
  answer(url: string): Answer {
    const request = parseV1Path(decodeURIComponent(splitUrl(url)[0]));
    if (request === undefined) return pageNotFound;
    const discovery = this.discovery();
    // Proxies keep what they have.
    if (discovery === undefined)
      return { status: 503, type: plain, body: "the configuration is still being read" };
    if (request.kind === "registration")
      return { status: 200, type: json, body: goJson(discovery.registration()) };
    try {
      return { status: 200, type: plain, body: this.body(request, url, discovery) };
    } catch (error) {
      const status = statusOf(error);
      if (status === undefined) throw error;
      return { status, type: plain, body: `${names[request.kind]} ${(error as Error).message}` };
    }
  }

  statistics(): Answer {
    return { status: 200, type: json, body: goJson({ cache_stats: this.cache.statistics() }) };
  }

  resetStatistics(): void {
    this.cache.resetStatistics();
  }

  private discovery(): V1Discovery | undefined {
    const ir = this.policy();
    if (ir === undefined || this.current?.ir === ir) return this.current?.discovery;
    const discovery = new V1Discovery(ir, this.options.age);
    this.current = { ir, discovery };
    this.cache.flush();
    this.warn(discovery);
    return discovery;
  }

  private warn(discovery: V1Discovery): void {
    const gaps = new Set(discovery.gaps());
    for (const gap of gaps) if (!this.warned.has(gap)) this.options.warn(gap);
    this.warned = gaps;
  }

  private body(request: Named, url: string, discovery: V1Discovery): Buffer {
    const { age, caching } = this.options;
    if (request.kind === "az") return Buffer.from(zoneOf(request.node, discovery, age));
    const key = goUrl(url);
    const kept = caching ? this.cache.get(key) : undefined;
    if (kept !== undefined) return kept;
    const made = answerOf(request, discovery, age);
    const body = Buffer.from(goJson(made));
    // What is not there yet may come without any change that we see, so thought Pilot 0.7.
    if (caching && (age === "0.2" || !isEmpty(made))) this.cache.set(key, body);
    return body;
  }
}

/** A proxy that serves nothing, as far as we know. */
class UnknownNodeError extends Error {
  override readonly name = "UnknownNodeError";
}

function statusOf(error: unknown): number | undefined {
  if (error instanceof ServiceNodeError || error instanceof UnknownNodeError) return 404;
  return error instanceof UnknownRouteError ? 503 : undefined;
}

function zoneOf(node: string, discovery: V1Discovery, age: Age): string {
  const zone = discovery.zone(parseNode(node, age));
  if (zone === undefined) throw new UnknownNodeError("couldn't find the given cluster node");
  return zone;
}

function parseNode(text: string, age: Age): ReturnType<typeof parseServiceNode> {
  try {
    return parseServiceNode(text, age);
  } catch (error) {
    if (error instanceof ServiceNodeError) error.message = `unexpected service-node: ${error.message}`;
    throw error;
  }
}

function answerOf(request: Cached, discovery: V1Discovery, age: Age): object | null {
  if (request.kind === "endpoints") return discovery.endpoints(request.key);
  const node = parseNode(request.node, age);
  return request.kind === "routes" ? discovery.routes(request.name, node) : discovery[request.kind](node);
}

const isEmpty = (answer: object | null): boolean =>
  !Object.values(answer ?? {}).some((value) => Array.isArray(value) && value.length > 0);
