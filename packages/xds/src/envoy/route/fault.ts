import type { Any } from "@bufbuild/protobuf/wkt";
import {
  type FaultAbortSchema,
  HTTPFaultSchema,
} from "@envoyproxy/xds-protos/envoy/extensions/filters/http/fault/v3/fault_pb.js";
import {
  FractionalPercent_DenominatorType as Denominator,
  type FractionalPercentSchema,
} from "@envoyproxy/xds-protos/envoy/type/v3/percent_pb.js";
import { grpcStatusOf } from "@keelson/model";
import type { Fault } from "@keelson/protos/route";
import { duration, type Init, pack } from "../wire.ts";

/** @param percent 0 to 100; the fourth decimal place is the last that counts. */
export const fraction = (percent: number): Init<typeof FractionalPercentSchema> => ({
  numerator: Math.floor(percent * 10_000),
  denominator: Denominator.MILLION,
});

function abort({ abortPercent, httpStatus, grpcStatus }: Fault): Init<typeof FaultAbortSchema> | undefined {
  if (abortPercent === 0) return undefined;
  const percentage = fraction(abortPercent);
  if (httpStatus !== 0) return { errorType: { case: "httpStatus", value: httpStatus }, percentage };
  const status = grpcStatusOf(grpcStatus);
  return status === undefined ? undefined : { errorType: { case: "grpcStatus", value: status }, percentage };
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
