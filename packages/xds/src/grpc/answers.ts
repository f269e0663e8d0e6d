import type { Any } from "@bufbuild/protobuf/wkt";
import { HTTPFaultSchema } from "@envoyproxy/xds-protos/envoy/extensions/filters/http/fault/v3/fault_pb.js";
import { fraction } from "../envoy/route/fault.ts";
import { pack } from "../envoy/wire.ts";

/** Status codes of gRPC by those of HTTP (gRPC's "HTTP to gRPC Status Code Mapping"). */
const grpcStatuses: ReadonlyMap<number, number> = new Map([
  [400, 13], // INTERNAL
  [401, 16], // UNAUTHENTICATED
  [403, 7], // PERMISSION_DENIED
  [404, 12], // UNIMPLEMENTED
  [429, 14], // UNAVAILABLE
  [502, 14],
  [503, 14],
  [504, 14],
]);
const unknown = 2;

/** A fault by which all calls end as they would with this answer of HTTP. */
export const answerOf = (status: number): Any =>
  pack(HTTPFaultSchema, {
    abort: {
      errorType: { case: "grpcStatus", value: grpcStatuses.get(status) ?? unknown },
      percentage: fraction(100),
    },
  });
