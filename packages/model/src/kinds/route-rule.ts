import { z } from "zod";
import { duration, stringMap } from "./fields.ts";

/** Who is meant: istio.proxy.v1.config.IstioService of Istio 0.2. */
const istioService = z.strictObject({
  name: z.string().optional(),
  namespace: z.string().optional(),
  domain: z.string().optional(),
  /** A full hostname, instead of the three above. */
  service: z.string().optional(),
  labels: stringMap.optional(),
});

const stringMatch = z
  .strictObject({ exact: z.string().optional(), prefix: z.string().optional(), regex: z.string().optional() })
  .refine((match) => Object.values(match).filter((value) => value !== undefined).length === 1, {
    message: "needs exactly one of exact, prefix and regex",
  });

const l4Match = z.strictObject({
  sourceSubnet: z.array(z.string()).optional(),
  destinationSubnet: z.array(z.string()).optional(),
});

const match = z.strictObject({
  source: istioService.optional(),
  tcp: l4Match.optional(),
  udp: l4Match.optional(),
  request: z.strictObject({ headers: z.record(z.string(), stringMatch).default({}) }).optional(),
});

const percent = z.number().min(0).max(100);

const httpFault = z.strictObject({
  delay: z
    .strictObject({
      percent: percent.default(0),
      fixedDelay: duration.optional(),
      exponentialDelay: duration.optional(),
      overrideHeaderName: z.string().optional(),
    })
    .optional(),
  abort: z
    .strictObject({
      percent: percent.default(0),
      httpStatus: z.number().int().min(200).max(599).optional(),
      grpcStatus: z.string().optional(),
      http2Error: z.string().optional(),
      overrideHeaderName: z.string().optional(),
    })
    .optional(),
});

const weightedRoute = z.strictObject({
  destination: istioService.optional(),
  labels: stringMap.optional(),
  weight: z.number().int().min(0).max(100).default(0),
});

/** config.istio.io/v1alpha2 RouteRule: istio.proxy.v1.config.RouteRule of Istio 0.2. */
export const routeRule = z.strictObject({
  spec: z.strictObject({
    destination: istioService,
    precedence: z.number().int().min(0).max(2_147_483_647).default(0),
    match: match.optional(),
    route: z.array(weightedRoute).default([]),
    redirect: z.strictObject({ uri: z.string().optional(), authority: z.string().optional() }).optional(),
    rewrite: z.strictObject({ uri: z.string().optional(), authority: z.string().optional() }).optional(),
    websocketUpgrade: z.boolean().default(false),
    httpReqTimeout: z
      .strictObject({
        simpleTimeout: z.strictObject({ timeout: duration, overrideHeaderName: z.string().optional() }),
      })
      .optional(),
    httpReqRetries: z
      .strictObject({
        simpleRetry: z.strictObject({
          attempts: z.number().int().min(0),
          perTryTimeout: duration.optional(),
          overrideHeaderName: z.string().optional(),
        }),
      })
      .optional(),
    httpFault: httpFault.optional(),
    l4Fault: z.looseObject({}).optional(),
  }),
});

export type RouteRule = z.output<typeof routeRule>;
export type RouteRuleSpec = RouteRule["spec"];
export type IstioService = z.output<typeof istioService>;
