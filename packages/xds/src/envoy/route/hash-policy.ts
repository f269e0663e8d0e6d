import type { RouteAction_HashPolicySchema } from "@envoyproxy/xds-protos/envoy/config/route/v3/route_components_pb.js";
import type { ConsistentHash } from "@keelson/protos/traffic-policy";
import { duration, type Init } from "../wire.ts";

/** What requests are hashed by, where a policy asks for consistent hashing. */
export function hashPolicy(
  hash: ConsistentHash | undefined,
): Init<typeof RouteAction_HashPolicySchema> | undefined {
  const key = hash?.key;
  switch (key?.case) {
    case "httpHeaderName":
      return { policySpecifier: { case: "header", value: { headerName: key.value } } };
    case "httpCookie": {
      const { name, path, ttlMs } = key.value;
      const ttl = ttlMs === undefined ? {} : { ttl: duration(ttlMs) };
      return { policySpecifier: { case: "cookie", value: { name, path, ...ttl } } };
    }
    case "useSourceIp":
      return { policySpecifier: { case: "connectionProperties", value: { sourceIp: key.value } } };
    case "httpQueryParameterName":
      return { policySpecifier: { case: "queryParameter", value: { name: key.value } } };
    default:
      return undefined;
  }
}
