import type { DebugState } from "./debug-state.ts";
import type { ProxyConnection } from "./proxy-connection.ts";

export interface PageRequest {
  readonly state: DebugState;
  readonly query: URLSearchParams;
  /** The only namespace whose proxies the caller may see; undefined: it may see all. */
  readonly namespace: string | undefined;
}

export interface PageAnswer {
  readonly status: number;
  readonly type: "application/json" | "text/plain; charset=utf-8";
  readonly body: string;
}

/** A page below /debug. */
export interface Page {
  /** Without "/debug/"; what stands after "?" is one way to ask it. */
  readonly name: string;
  readonly help: string;
  /** Callers outside the root namespace may ask it about their own namespace's proxies. */
  readonly forAllNamespaces?: true;
  answer(request: PageRequest): PageAnswer;
}

/** JSON; indented if the query asks for `pretty`. */
export function json(value: unknown, { query }: Pick<PageRequest, "query">): PageAnswer {
  const body = JSON.stringify(value, null, query.has("pretty") ? 4 : 0);
  return { status: 200, type: "application/json", body };
}

export function text(status: number, body: string): PageAnswer {
  return { status, type: "text/plain; charset=utf-8", body };
}

/** As Go's servers say it: istioctl looks for these words, as for the two below. */
export const noSuchPage = text(404, "404 page not found\n");
const noProxyId = text(400, "You must provide a proxyID in the query string\n");
const notConnected = text(
  404,
  "Proxy not connected to this Pilot instance. It may be connected to another instance.\n",
);

/** The first connection whose id contains the query's proxyID. */
function find({ state, query, namespace }: PageRequest): ProxyConnection | undefined {
  const wanted = query.get("proxyID") ?? "";
  const found = state.connections.find(({ id }) => id.includes(wanted));
  return namespace === undefined || found?.namespace === namespace ? found : undefined;
}

/** Answers about the proxy that the query names by proxyID; it must name one. */
export function aboutProxy(
  request: PageRequest,
  answer: (connection: ProxyConnection) => PageAnswer,
): PageAnswer {
  if ((request.query.get("proxyID") ?? "") === "") return noProxyId;
  const connection = find(request);
  return connection === undefined ? notConnected : answer(connection);
}

/** Answers about the proxy that the query names by proxyID, or about all. */
export function aboutProxies(
  request: PageRequest,
  answer: (connections: readonly ProxyConnection[]) => PageAnswer,
): PageAnswer {
  if ((request.query.get("proxyID") ?? "") === "") return answer(request.state.connections);
  return aboutProxy(request, (connection) => answer([connection]));
}

/** Leaves out what is undefined, "", or an empty object or list: Go's omitempty. */
export function omitEmpty<T extends object>(value: T): Partial<T> {
  const isEmpty = (part: unknown): boolean =>
    part === undefined ||
    part === "" ||
    (typeof part === "object" && part !== null && !(part instanceof Date) && Object.keys(part).length === 0);
  return Object.fromEntries(Object.entries(value).filter(([, part]) => !isEmpty(part))) as Partial<T>;
}
