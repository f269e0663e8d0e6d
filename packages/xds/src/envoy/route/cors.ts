import type { Any } from "@bufbuild/protobuf/wkt";
import { CorsPolicySchema } from "@envoyproxy/xds-protos/envoy/extensions/filters/http/cors/v3/cors_pb.js";
import type { Cors } from "@keelson/protos/route";
import { pack } from "../wire.ts";
import { fraction } from "./fault.ts";
import { stringMatcher } from "./match.ts";

export function corsConfig(cors: Cors): Any {
  return pack(CorsPolicySchema, {
    allowOriginStringMatch: cors.allowOrigins.flatMap((origin) => stringMatcher(origin) ?? []),
    allowMethods: cors.allowMethods.join(","),
    allowHeaders: cors.allowHeaders.join(","),
    exposeHeaders: cors.exposeHeaders.join(","),
    ...(cors.maxAgeMs !== undefined && { maxAge: `${cors.maxAgeMs / 1000n}` }),
    ...(cors.allowCredentials !== undefined && { allowCredentials: cors.allowCredentials }),
    filterEnabled: { defaultValue: fraction(100) },
    forwardNotMatchingPreflights: cors.forwardUnmatchedPreflights ?? true,
  });
}
