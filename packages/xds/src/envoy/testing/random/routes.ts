import type { ConnectionMatchSchema, HttpMatchSchema, StringMatchSchema } from "@keelson/protos/match";
import { ApplicationProtocol as Protocol, type Service } from "@keelson/protos/policy";
import type {
  ConnectionRouteSchema,
  HttpRouteSchema,
  RouteDestinationSchema,
  RouteTable,
} from "@keelson/protos/route";
import type { Init } from "../../wire.ts";
import { aRouteTable } from "../builders.ts";
import type { RandomSource } from "./source.ts";
import { namespaces, versions } from "./world.ts";

type HttpRoute = Init<typeof HttpRouteSchema>;
type Destination = Init<typeof RouteDestinationSchema>;

function text(random: RandomSource, value: string): Init<typeof StringMatchSchema> {
  const how = random.pick(["exact", "prefix", "regex"] as const);
  return { how: { case: how, value: how === "regex" ? `${value.replaceAll(".", "\\.")}.*` : value } };
}

function httpMatch(random: RandomSource, gateways: readonly string[]): Init<typeof HttpMatchSchema> {
  const uri = random.maybe(0.7, () => text(random, random.pick(["/", "/a", "/b/c", "/api/v1"])));
  const method = random.maybe(0.2, () => text(random, random.pick(["GET", "POST"])));
  const authority = random.maybe(0.1, () => text(random, "a.example.com"));
  const source = random.maybe(0.2, () => ({
    labels: random.chance(0.5) ? { version: random.pick(versions) } : {},
    namespace: random.chance(0.3) ? random.pick(namespaces) : "",
  }));
  return {
    ...(uri && { uri }),
    ...(method && { method }),
    ...(authority && { authority }),
    ...(source && { source }),
    ignoreUriCase: random.chance(0.1),
    headers: random.times(0, 2, (i) => {
      const value = random.maybe(0.8, () => text(random, `value-${i}`));
      return { name: `x-header-${i}`, invert: random.chance(0.2), ...(value && { value }) };
    }),
    queryParameters: random.times(0, 1, () => ({ name: "q", value: text(random, "yes") })),
    port: random.chance(0.1) ? 80 : 0,
    gateways: random.chance(0.1) ? [random.pick(gateways)] : [],
  };
}

/** @param known services that can be routed to: those with a port that is no UDP port. */
function destination(random: RandomSource, known: readonly Service[], weight: number): Destination {
  const service = random.pick(known);
  const port = random.pick(
    service.ports.filter((candidate) => candidate.applicationProtocol !== Protocol.UDP),
  );
  const choice = random.next();
  const version = random.pick(versions);
  return {
    hostname: service.hostname,
    port: port.port,
    weight,
    ...(choice < 0.3 && { labels: { version } }),
    ...(choice > 0.9 && { requestHeaders: { set: { "x-version": version } } }),
  };
}

const destinations = (random: RandomSource, known: readonly Service[]): Destination[] =>
  random.times(1, 3, () => destination(random, known, random.integer(0, 100)));

function httpRoute(
  random: RandomSource,
  known: readonly Service[],
  gateways: readonly string[],
  i: number,
): HttpRoute {
  const common: HttpRoute = {
    name: `route-${i}`,
    matches: random.times(0, 2, () => httpMatch(random, gateways)),
    requestHeaders: { set: { "x-a": "a" }, add: { "x-b": "b" }, remove: random.some(["x-c"]) },
  };
  const kind = random.next();
  if (kind < 0.1) {
    return { ...common, redirect: { uri: "/elsewhere", code: random.pick([301, 302, 303, 307, 308]) } };
  }
  if (kind < 0.2) {
    return {
      ...common,
      directResponse: { status: random.pick([200, 404, 503]), body: new Uint8Array([104, 105]) },
    };
  }
  return { ...common, ...forwarding(random, known) };
}

function forwarding(random: RandomSource, known: readonly Service[]): HttpRoute {
  const retries = random.maybe(0.3, () => ({
    attempts: random.integer(0, 3),
    perTryTimeoutMs: BigInt(random.pick([0, 500])),
    retryOn: random.pick(["", "5xx,503", "gateway-error,reset"]),
    retryRemoteLocalities: random.chance(0.2),
    backoffMs: BigInt(random.pick([0, 25])),
  }));
  const fault = random.maybe(0.2, () => ({
    delayPercent: random.pick([0, 0.5, 50]),
    delayMs: BigInt(random.pick([0, 10])),
    abortPercent: random.pick([0, 25]),
    httpStatus: random.pick([0, 418, 503]),
    grpcStatus: "UNAVAILABLE",
  }));
  const rewrite = random.maybe(0.2, () =>
    random.chance(0.5)
      ? { uri: "/rewritten", authority: "rewritten.example.com" }
      : { regex: "^/a(.*)$", substitution: "/b\\1" },
  );
  const cors = random.maybe(0.2, () => ({
    allowOrigins: [text(random, "https://example.com")],
    allowMethods: ["GET", "POST"],
    maxAgeMs: 60_000n,
    allowCredentials: random.chance(0.5),
  }));
  const timeoutMs = random.maybe(0.3, () => BigInt(random.integer(0, 10_000)));
  return {
    destinations: destinations(random, known),
    mirrors: random.times(0, 1, () => ({
      destination: destination(random, known, 0),
      percent: random.pick([0, 12.5, 100]),
    })),
    ...(retries && { retries }),
    ...(fault && { fault }),
    ...(rewrite && { rewrite }),
    ...(cors && { cors }),
    ...(timeoutMs !== undefined && { timeoutMs }),
  };
}

function connectionRoute(
  random: RandomSource,
  known: readonly Service[],
  match: Init<typeof ConnectionMatchSchema>,
): Init<typeof ConnectionRouteSchema> {
  const matches = random.chance(0.5) ? [match] : [];
  return { matches, destinations: destinations(random, known) };
}

/** Rules for some of the services, for hosts that nobody has, and for gateways. */
export function randomRouteTables(
  random: RandomSource,
  services: readonly Service[],
  gateways: readonly string[],
): RouteTable[] {
  const known = services.filter(({ ports }) =>
    ports.some(({ applicationProtocol }) => applicationProtocol !== Protocol.UDP),
  );
  if (known.length === 0) return [];
  return random.times(0, 6, (i) => {
    const namespace = random.pick(namespaces);
    const hosts = [
      ...random.some(
        services.map(({ hostname }) => hostname),
        0.2,
      ),
      ...random.some([`unknown-${i}.example.org`, "*.example.com", `*.${namespace}.svc.cluster.local`], 0.3),
    ];
    const bound = random.some(["mesh", ...gateways], 0.7);
    return aRouteTable(`VirtualService/${namespace}/rule-${i}`, {
      hosts: hosts.length === 0 ? [known[0]?.hostname ?? ""] : hosts,
      gateways: bound.length === 0 ? ["mesh"] : bound,
      http: random.times(0, 4, (route) => httpRoute(random, known, ["mesh", ...gateways], route)),
      tcp: random.times(0, 2, () =>
        connectionRoute(random, known, {
          destinationSubnets: random.some(["10.96.0.0/24", "10.1.2.3", "fd00::/8"]),
        }),
      ),
      tls: random.times(0, 2, () => ({
        matches: [
          {
            sniHosts: random
              .some(["a.example.com", "*.example.com", "b.example.org"], 0.6)
              .concat("c.example.com"),
          },
        ],
        destinations: destinations(random, known),
      })),
    });
  });
}
