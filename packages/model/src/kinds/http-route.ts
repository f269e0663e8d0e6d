import { z } from "zod";
import { duration, maximumInt32, portNumber } from "./fields.ts";
import { backendReference, gatewayHostname, parentReference, sectionName } from "./gateway-api-fields.ts";
import { headerValue, hostname, status } from "./istio-fields.ts";
import { notCarried } from "./not-carried.ts";
import { faultOf } from "./regular-expression.ts";

const headerName = z.string().regex(/^[-!#$%&'*+.^_`|~0-9A-Za-z]+$/, "is not a header's name");
const valueMatch = {
  type: z.enum(["Exact", "RegularExpression"]).default("Exact"),
  value: z.string(),
};

/** A value that is a regular expression by its type has to be one. */
function checkExpression({ type, value }: { type: string; value: string }, context: z.RefinementCtx): void {
  const message = type === "RegularExpression" ? faultOf(value) : undefined;
  if (message !== undefined) context.addIssue({ code: "custom", message });
}

const match = z.strictObject({
  path: z
    .strictObject({
      type: z.enum(["Exact", "PathPrefix", "RegularExpression"]).default("PathPrefix"),
      value: z.string().max(1024).default("/"),
    })
    .refine(
      ({ type, value }) => type === "RegularExpression" || value.startsWith("/"),
      'does not begin with "/"',
    )
    .superRefine(checkExpression)
    .optional(),
  headers: z
    .array(z.strictObject({ name: headerName, ...valueMatch }).superRefine(checkExpression))
    .default([]),
  queryParams: z
    .array(z.strictObject({ name: z.string().min(1), ...valueMatch }).superRefine(checkExpression))
    .default([]),
  method: z.enum(["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"]).optional(),
});
export type HttpRouteMatch = z.output<typeof match>;

const header = z.strictObject({ name: headerName, value: headerValue });
const headerModifier = z.strictObject({
  set: z.array(header).default([]),
  add: z.array(header).default([]),
  remove: z.array(headerName).default([]),
});
export type HeaderModifier = z.output<typeof headerModifier>;

const pathModifier = z.strictObject({
  type: z.enum(["ReplaceFullPath", "ReplacePrefixMatch"]),
  replaceFullPath: z.string().optional(),
  replacePrefixMatch: z.string().optional(),
});

const redirect = z.strictObject({
  scheme: z.enum(["http", "https"]).optional(),
  hostname: hostname.optional(),
  path: pathModifier.optional(),
  port: portNumber.optional(),
  statusCode: z.literal([301, 302, 303, 307, 308]).default(302),
});

const mirror = z.strictObject({
  backendRef: backendReference,
  percent: z.number().int().min(0).max(100).optional(),
  fraction: z
    .strictObject({ numerator: z.number().int().min(0), denominator: z.number().int().min(1).default(100) })
    .optional(),
});

const filter = z.strictObject({
  type: z.string(),
  requestHeaderModifier: headerModifier.optional(),
  responseHeaderModifier: headerModifier.optional(),
  requestRedirect: redirect.optional(),
  requestMirror: mirror.optional(),
  urlRewrite: z.strictObject({ hostname: hostname.optional(), path: pathModifier.optional() }).optional(),
  cors: z.looseObject({}).optional(),
  externalAuth: z.looseObject({}).optional(),
  extensionRef: z.looseObject({}).optional(),
});
export type HttpRouteFilter = z.output<typeof filter>;

const backend = backendReference.extend({
  weight: z.number().int().min(0).max(1_000_000).default(1),
  filters: z.array(filter).default([]),
});

const rule = z.strictObject({
  name: sectionName.optional(),
  matches: z.array(match).default([]),
  filters: z.array(filter).default([]),
  backendRefs: z.array(backend).default([]),
  timeouts: z.strictObject({ request: duration.optional(), backendRequest: duration.optional() }).optional(),
  retry: z
    .strictObject({
      codes: z.array(z.number().int().min(400).max(599)).default([]),
      attempts: z.number().int().min(0).max(maximumInt32).default(2),
      backoff: duration.optional(),
    })
    .optional(),
  sessionPersistence: notCarried(z.looseObject({})).optional(),
});
export type HttpRouteRule = z.output<typeof rule>;

/** gateway.networking.k8s.io HTTPRoute. */
export const httpRoute = z.strictObject({
  spec: z.strictObject({
    parentRefs: z.array(parentReference).default([]),
    useDefaultGateways: notCarried(z.string()).optional(),
    hostnames: z.array(gatewayHostname).default([]),
    rules: z.array(rule).default([]),
  }),
  status,
});

export type HttpRoute = z.output<typeof httpRoute>;
