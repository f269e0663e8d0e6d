import { type MatchAutomaton, match } from "@keelson/compiler/automaton";
import { type RouteKey, routeKey } from "@keelson/compiler/kernel-keys";
import { routesAutomaton, whyRelayed } from "@keelson/compiler/kernel-routes";
import type { PortRoute } from "@keelson/protos/policy";
import type { Case } from "./cases.ts";
import type { Asked } from "./http-side.ts";
import { relayServiceOf, setsOf } from "./mesh.ts";

/** Who is to carry a request once its link is there; "either" where it is left open. */
export type Carrier = "programs" | "relay" | "either";

/** Which requests of one case programs are to take. */
export class Carriers {
  private readonly routes: readonly PortRoute[];
  private readonly automaton: MatchAutomaton | undefined;
  private readonly emptySets: ReadonlySet<string>;

  constructor(one: Case, number: number) {
    this.routes = relayServiceOf(one, number).port.routes;
    const found = routesAutomaton(this.routes.flatMap(({ route }) => route ?? []));
    this.automaton = "unfit" in found ? undefined : found;
    const empty = setsOf(number, 1).filter(({ endpoints }) => endpoints.length === 0);
    this.emptySets = new Set(empty.map(({ name }) => name));
  }

  of(asked: Asked): Carrier {
    if (this.automaton === undefined) return "relay";
    const verdict = match(this.automaton, bytesOf(asked));
    if ("relay" in verdict) return "relay";
    const route = verdict.rule === undefined ? undefined : this.routes[verdict.rule];
    if (route?.route === undefined) return "relay";
    if (whyRelayed({ route: route.route, destinations: route.destinations }) !== undefined) return "relay";
    const used = route.destinations.filter(({ weight }) => weight > 0);
    if (used.some(({ endpointSet }) => this.emptySets.has(endpointSet))) return "relay";
    const isKeyed = used.some(({ policy }) => policy?.loadBalancer?.consistentHash !== undefined);
    const key = isKeyed ? routeKey(route.destinations) : undefined;
    return key === undefined ? "programs" : carrierByKey(key, asked);
  }
}

/** As a caller's program sends it. */
function bytesOf({ head: { method, path, rawHeaders }, content }: Asked): Uint8Array {
  const lines: string[] = [];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2)
    lines.push(`${rawHeaders[at]}: ${rawHeaders[at + 1]}`);
  const isChunked = ["POST", "PUT"].includes(method) && !rawHeaders.includes("Content-Length");
  if (isChunked) lines.push("Transfer-Encoding: chunked");
  const text = [`${method} ${path} HTTP/1.1`, ...lines, "Connection: keep-alive", "", content].join("\r\n");
  return Buffer.from(text, "latin1");
}

const plainCookie = /^(?:[^;"]*; ?)?user=[^;" ]+(?:;.*)?$/;

function carrierByKey({ kind, name, isMade }: RouteKey, { head: { path, rawHeaders } }: Asked): Carrier {
  const valuesOf = (wanted: string): string[] =>
    rawHeaders.filter((_, at) => at % 2 === 1 && rawHeaders[at - 1]?.toLowerCase() === wanted);
  if (kind === "source") return "programs";
  if (kind === "header") return valuesOf(name).length > 1 ? "relay" : "programs";
  if (kind === "query") return /%/.test(path) ? "either" : "programs";
  const cookies = valuesOf("cookie");
  if (cookies.length === 0) return isMade ? "relay" : "programs";
  return cookies.length === 1 && plainCookie.test(cookies[0] ?? "") ? "programs" : "either";
}
