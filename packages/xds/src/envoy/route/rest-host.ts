import { create } from "@bufbuild/protobuf";
import { RouteSchema } from "@envoyproxy/xds-protos/envoy/config/route/v3/route_components_pb.js";
import { clusterNames, virtualHostNames } from "../names.ts";
import type { Init } from "../wire.ts";
import { timeoutFields } from "./action.ts";
import { virtualHost } from "./virtual-host.ts";

const everyHost = (name: string, action: NonNullable<Init<typeof RouteSchema>["action"]>): Uint8Array =>
  virtualHost({
    name,
    domains: ["*"],
    routes: [create(RouteSchema, { name, match: { pathSpecifier: { case: "prefix", value: "/" } }, action })],
  });

const allowAny = everyHost(virtualHostNames.allowAny, {
  case: "route",
  value: {
    clusterSpecifier: { case: "cluster", value: clusterNames.passthrough },
    ...timeoutFields(undefined),
  },
});

const blockAll = everyHost(virtualHostNames.blockAll, { case: "directResponse", value: { status: 502 } });

/** Takes requests to hosts that no rule and no service has. */
export const restHost = (passesThrough: boolean): Uint8Array => (passesThrough ? allowAny : blockAll);
