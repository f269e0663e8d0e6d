import { z } from "zod";
import { duration, maximumInt32 } from "./fields.ts";
import { istioService, legacyLabels } from "./istio-service.ts";
import { notCarried } from "./not-carried.ts";
import { exactlyOneOf } from "./one-of.ts";
import { regularExpression } from "./regular-expression.ts";

const stringMatch = z
  .strictObject({
    exact: z.string().optional(),
    prefix: z.string().optional(),
    regex: regularExpression.optional(),
  })
  .refine((match) => Object.values(match).filter((value) => value !== undefined).length === 1, {
    message: "needs exactly one of exact, prefix and regex",
  })
  .meta(exactlyOneOf("exact", "prefix", "regex"));

/** Envoy sees names in lower case only, so another one would never match. */
const headerName = z.string().regex(/^[^A-Z]+$/, "is not a header's name in lower case");

const l4Match = z.strictObject({
  sourceSubnet: z.array(z.string()).optional(),
  destinationSubnet: z.array(z.string()).optional(),
});

const match = z.strictObject({
  source: istioService.optional(),
  tcp: l4Match.optional(),
  udp: l4Match.optional(),
  request: z.strictObject({ headers: z.record(headerName, stringMatch).default({}) }).optional(),
});

const percent = z.number().min(0).max(100);

const httpFault = z.strictObject({
  delay: z
    .strictObject({
      percent: percent.default(0),
      fixedDelay: duration.optional(),
      exponentialDelay: notCarried(duration).optional(),
      overrideHeaderName: notCarried(z.string()).optional(),
    })
    .optional(),
  abort: z
    .strictObject({
      percent: percent.default(0),
      httpStatus: z.number().int().min(200).max(599).optional(),
      grpcStatus: z.string().optional(),
      http2Error: notCarried(z.string()).optional(),
      overrideHeaderName: notCarried(z.string()).optional(),
    })
    .optional(),
});

const weightedRoute = z.strictObject({
  destination: istioService.optional(),
  labels: legacyLabels.optional(),
  weight: z.number().int().min(0).max(100).default(0),
});

/** config.istio.io/v1alpha2 RouteRule: istio.proxy.v1.config.RouteRule of Istio 0.2. */
export const routeRule = z.strictObject({
  spec: z.strictObject({
    destination: istioService,
    precedence: z.number().int().min(-2_147_483_648).max(2_147_483_647).default(0),
    match: match.optional(),
    route: z.array(weightedRoute).default([]),
    redirect: z.strictObject({ uri: z.string().optional(), authority: z.string().optional() }).optional(),
    rewrite: z.strictObject({ uri: z.string().optional(), authority: z.string().optional() }).optional(),
    websocketUpgrade: z.boolean().default(false),
    httpReqTimeout: z
      .strictObject({
        simpleTimeout: z.strictObject({
          timeout: duration,
          overrideHeaderName: notCarried(z.string()).optional(),
        }),
      })
      .optional(),
    httpReqRetries: z
      .strictObject({
        simpleRetry: z.strictObject({
          attempts: z.number().int().min(0).max(maximumInt32),
          perTryTimeout: duration.optional(),
          overrideHeaderName: notCarried(z.string()).optional(),
        }),
      })
      .optional(),
    httpFault: httpFault.optional(),
    l4Fault: notCarried(z.looseObject({})).optional(),
  }),
});

export type RouteRule = z.output<typeof routeRule>;
export type RouteRuleSpec = RouteRule["spec"];
