import type { Any } from "@bufbuild/protobuf/wkt";
import {
  type FaultAbortSchema,
  HTTPFaultSchema,
} from "@envoyproxy/xds-protos/envoy/extensions/filters/http/fault/v3/fault_pb.js";
import {
  FractionalPercent_DenominatorType as Denominator,
  type FractionalPercentSchema,
} from "@envoyproxy/xds-protos/envoy/type/v3/percent_pb.js";
import type { Fault } from "@keelson/protos/route";
import { duration, type Init, pack } from "../wire.ts";

/** @param percent 0 to 100; the fourth decimal place is the last that counts. */
export const fraction = (percent: number): Init<typeof FractionalPercentSchema> => ({
  numerator: Math.floor(percent * 10_000),
  denominator: Denominator.MILLION,
});

const grpcStatuses = [
  "OK",
  "CANCELLED",
  "UNKNOWN",
  "INVALID_ARGUMENT",
  "DEADLINE_EXCEEDED",
  "NOT_FOUND",
  "ALREADY_EXISTS",
  "PERMISSION_DENIED",
  "RESOURCE_EXHAUSTED",
  "FAILED_PRECONDITION",
  "ABORTED",
  "OUT_OF_RANGE",
  "UNIMPLEMENTED",
  "INTERNAL",
  "UNAVAILABLE",
  "DATA_LOSS",
  "UNAUTHENTICATED",
];

function abort({ abortPercent, httpStatus, grpcStatus }: Fault): Init<typeof FaultAbortSchema> | undefined {
  if (abortPercent === 0) return undefined;
  const percentage = fraction(abortPercent);
  if (httpStatus !== 0) return { errorType: { case: "httpStatus", value: httpStatus }, percentage };
  const status = grpcStatuses.indexOf(grpcStatus.toUpperCase());
  return status === -1 ? undefined : { errorType: { case: "grpcStatus", value: status }, percentage };
}

/** Undefined where the rule's fault never happens. */
export function faultConfig(fault: Fault): Any | undefined {
  const aborts = abort(fault);
  const delays = fault.delayPercent > 0 && fault.delayMs > 0n;
  if (!delays && aborts === undefined) return undefined;
  return pack(HTTPFaultSchema, {
    ...(delays && {
      delay: {
        faultDelaySecifier: { case: "fixedDelay", value: duration(fault.delayMs) },
        percentage: fraction(fault.delayPercent),
      },
    }),
    ...(aborts && { abort: aborts }),
  });
}
