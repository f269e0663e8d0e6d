import { create } from "@bufbuild/protobuf";
import {
  type Filter,
  type FilterChain,
  type FilterChainMatchSchema,
  FilterChainSchema,
} from "@envoyproxy/xds-protos/envoy/config/listener/v3/listener_components_pb.js";
import type { Mesh } from "@keelson/protos/proxy";
import { cidrRange } from "../cidr.ts";
import { ruleMetadata } from "../rule-names.ts";
import type { ProxyTraits } from "../traits.ts";
import type { Init } from "../wire.ts";
import { type ChainMatch, type ChainPlan, takesAll } from "./chain-plan.ts";
import { type Direction, httpManager } from "./http-manager.ts";
import { tcpProxy } from "./tcp-proxy.ts";

export function filterChainMatch(match: ChainMatch): Init<typeof FilterChainMatchSchema> {
  return {
    serverNames: [...match.serverNames],
    prefixRanges: match.prefixes.map(cidrRange),
    applicationProtocols: [...match.applicationProtocols],
    transportProtocol: match.transportProtocol,
  };
}

function filterOf({ target }: ChainPlan, { direction, statPrefix, mesh, proxy }: ChainInputs): Filter {
  if (target.kind === "tcp") return tcpProxy(target, mesh);
  const { routeName, grpcWeb, forwardProxy } = target;
  return httpManager({ direction, statPrefix, routes: routeName, grpcWeb, forwardProxy }, mesh, proxy);
}

export interface ChainInputs {
  readonly direction: Direction;
  /** Of HTTP statistics. */
  readonly statPrefix: string;
  readonly mesh: Mesh;
  readonly proxy: ProxyTraits;
}

/** A chain without a match takes what no other chain takes. */
export function filterChain(plan: ChainPlan, inputs: ChainInputs): FilterChain {
  const metadata = plan.target.kind === "tcp" ? ruleMetadata(plan.target.rule) : undefined;
  return create(FilterChainSchema, {
    ...(!takesAll(plan.match) && { filterChainMatch: filterChainMatch(plan.match) }),
    filters: [filterOf(plan, inputs)],
    ...(metadata && { metadata }),
  });
}
