import { z } from "zod";
import { duration } from "./fields.ts";
import { istioService } from "./istio-service.ts";
import { notCarried } from "./not-carried.ts";

const count = z.number().int().min(0).max(2_147_483_647);

const simpleCb = z.strictObject({
  maxConnections: count.default(0),
  httpMaxPendingRequests: count.default(0),
  httpMaxRequests: count.default(0),
  sleepWindow: duration.default("0s"),
  httpConsecutiveErrors: count.default(0),
  httpDetectionInterval: duration.default("0s"),
  httpMaxRequestsPerConnection: count.default(0),
  httpMaxEjectionPercent: z.number().int().min(0).max(100).default(0),
});
export type SimpleCircuitBreaker = z.output<typeof simpleCb>;

/** config.istio.io/v1alpha2 DestinationPolicy: istio.proxy.v1.config.DestinationPolicy of Istio 0.2. */
export const destinationPolicy = z.strictObject({
  spec: z.strictObject({
    destination: istioService,
    source: istioService.optional(),
    loadBalancing: z
      .strictObject({
        name: z.enum(["ROUND_ROBIN", "LEAST_CONN", "RANDOM"]).optional(),
        custom: notCarried(z.looseObject({})).optional(),
      })
      .optional(),
    circuitBreaker: z
      .strictObject({ simpleCb: simpleCb.optional(), custom: notCarried(z.looseObject({})).optional() })
      .optional(),
  }),
});

export type DestinationPolicy = z.output<typeof destinationPolicy>;
