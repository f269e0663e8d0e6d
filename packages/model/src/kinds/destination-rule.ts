import { z } from "zod";
import { dnsLabel } from "./fields.ts";
import { exportTo, labels, status, wildcardHostname } from "./istio-fields.ts";
import { trafficPolicy } from "./traffic-policy.ts";

const subset = z.strictObject({
  name: dnsLabel,
  labels: labels.default({}),
  trafficPolicy: trafficPolicy.optional(),
});

/** networking.istio.io DestinationRule. */
export const destinationRule = z.strictObject({
  spec: z.strictObject({
    host: wildcardHostname,
    trafficPolicy: trafficPolicy.optional(),
    subsets: z.array(subset).default([]),
    exportTo: exportTo.default([]),
    workloadSelector: z.strictObject({ matchLabels: labels.optional() }).optional(),
  }),
  status,
});

export type DestinationRule = z.output<typeof destinationRule>;
