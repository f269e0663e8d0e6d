import type { OutlierDetectionSchema } from "@envoyproxy/xds-protos/envoy/config/cluster/v3/outlier_detection_pb.js";
import type { OutlierDetection } from "@keelson/protos/traffic-policy";
import { durationUnlessZero, type Init } from "../wire.ts";

/** 100 % of those that reach the limit are ejected; a limit of 0 turns the kind of error off. */
const enforcing = (limit: number): number => (limit > 0 ? 100 : 0);

/** As Istio sets it: what a rule does not name is Envoy's default, ejection by success rate is off. */
export function outlierFields(rule: OutlierDetection): Init<typeof OutlierDetectionSchema> {
  const { consecutive5xxErrors, consecutiveGatewayErrors, consecutiveLocalOriginFailures } = rule;
  const interval = durationUnlessZero(rule.intervalMs);
  const baseEjectionTime = durationUnlessZero(rule.baseEjectionTimeMs);
  return {
    enforcingSuccessRate: 0,
    ...(consecutive5xxErrors !== undefined && {
      consecutive5xx: consecutive5xxErrors,
      enforcingConsecutive5xx: enforcing(consecutive5xxErrors),
    }),
    ...(consecutiveGatewayErrors !== undefined && {
      consecutiveGatewayFailure: consecutiveGatewayErrors,
      enforcingConsecutiveGatewayFailure: enforcing(consecutiveGatewayErrors),
    }),
    ...(interval && { interval }),
    ...(baseEjectionTime && { baseEjectionTime }),
    ...(rule.maxEjectionPercent > 0 && { maxEjectionPercent: rule.maxEjectionPercent }),
    ...(rule.splitExternalLocalOriginErrors && {
      splitExternalLocalOriginErrors: true,
      enforcingLocalOriginSuccessRate: 0,
      ...(consecutiveLocalOriginFailures && {
        consecutiveLocalOriginFailure: consecutiveLocalOriginFailures,
        enforcingConsecutiveLocalOriginFailure: 100,
      }),
    }),
  };
}
