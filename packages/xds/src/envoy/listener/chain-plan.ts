import type { WeightedCluster } from "./tcp-proxy.ts";

/** HTTP as the HTTP inspector finds it without TLS. */
const plainHttpProtocols = ["http/1.1", "h2c"];

/** HTTP/1.0 would only be refused where it is not accepted; unmatched, it passes as bytes. */
export const plainHttp = (http10: boolean): string[] =>
  http10 ? ["http/1.0", ...plainHttpProtocols] : plainHttpProtocols;

/** Which connections a filter chain takes; what is empty takes all. */
export interface ChainMatch {
  readonly serverNames: readonly string[];
  /** Addresses or CIDR blocks of the destination. */
  readonly prefixes: readonly string[];
  readonly applicationProtocols: readonly string[];
  readonly transportProtocol: "" | "raw_buffer" | "tls";
}

export const matchAll: ChainMatch = {
  serverNames: [],
  prefixes: [],
  applicationProtocols: [],
  transportProtocol: "",
};

export const takesAll = (match: ChainMatch): boolean =>
  match.serverNames.length === 0 &&
  match.prefixes.length === 0 &&
  match.applicationProtocols.length === 0 &&
  match.transportProtocol === "";

export interface HttpTarget {
  readonly kind: "http";
  readonly routeName: string;
  readonly grpcWeb: boolean;
  readonly forwardProxy: boolean;
}

export interface TcpTarget {
  readonly kind: "tcp";
  readonly statPrefix: string;
  readonly clusters: readonly WeightedCluster[];
  readonly idleTimeoutMs: number | undefined;
  readonly maxConnectionDurationMs: number | undefined;
  readonly hashesSource: boolean;
  /** The rule that says so, "VirtualService/default/reviews"; empty: none. */
  readonly rule: string;
}

/** A filter chain before it is written down. */
export interface ChainPlan {
  readonly match: ChainMatch;
  readonly target: HttpTarget | TcpTarget;
}

const orAny = (values: readonly string[]): readonly string[] => (values.length === 0 ? [""] : values);

/**
 * Envoy refuses a listener in which two chains match the same connection by the same criteria. Keeps the first of them,
 * and of a later one what is left.
 */
export function withoutOverlaps<Chain extends ChainPlan>(chains: readonly Chain[]): Chain[] {
  const taken = new Set<string>();
  return chains.flatMap((chain): Chain[] => {
    const { match } = chain;
    const { serverNames, prefixes, applicationProtocols, transportProtocol } = match;
    const keys = (names: readonly string[], blocks: readonly string[]): string[] =>
      orAny(names).flatMap((name) =>
        orAny(blocks).flatMap((block) =>
          orAny(applicationProtocols).map((protocol) => `${transportProtocol}|${protocol}|${block}|${name}`),
        ),
      );
    const free = (names: readonly string[], blocks: readonly string[]): boolean =>
      !keys(names, blocks).some((key) => taken.has(key));
    const left = [
      match,
      { ...match, serverNames: serverNames.filter((name) => free([name], prefixes)) },
      { ...match, prefixes: prefixes.filter((block) => free(serverNames, [block])) },
    ].find(
      (candidate) =>
        (candidate.serverNames.length === 0) === (serverNames.length === 0) &&
        (candidate.prefixes.length === 0) === (prefixes.length === 0) &&
        free(candidate.serverNames, candidate.prefixes),
    );
    if (left === undefined) return [];
    for (const key of keys(left.serverNames, left.prefixes)) taken.add(key);
    return [{ ...chain, match: left }];
  });
}
