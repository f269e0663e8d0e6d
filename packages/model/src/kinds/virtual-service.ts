import { z } from "zod";
import { grpcStatusNames } from "../grpc-status.ts";
import { dnsLabel, duration, maximumInt32, portNumber } from "./fields.ts";
import {
  destination,
  exportTo,
  headerValue,
  ipAddress,
  labels,
  percent,
  regex,
  status,
  stringMatch,
  stringMatchOrPresence,
  subnet,
  uriMatch,
  wildcardHostname,
} from "./istio-fields.ts";
import { atMostOneOf } from "./one-of.ts";

/** "mesh", "name", "namespace/name", or the old "name.namespace…". */
const gatewayName = z
  .string()
  .regex(
    /^([a-z0-9.]([-a-z0-9]*)\/)?[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/,
    'is neither "name" nor "namespace/name"',
  );

const weight = z.number().int().min(0).max(maximumInt32).default(0);

/** ":path" and its like cannot be changed; of "host" only set makes sense. */
const headerName = z.string().regex(/^:?[-!#$%&'*+.^_`|~0-9A-Za-z]+$/, "is not a header's name");

const headerOperations = z.strictObject({
  set: z.record(headerName, headerValue).optional(),
  add: z.record(headerName, headerValue).optional(),
  remove: z.array(headerName).optional(),
});

const headers = z.strictObject({
  request: headerOperations.optional(),
  response: headerOperations.optional(),
});

const httpMatch = z.strictObject({
  name: z.string().optional(),
  uri: uriMatch.optional(),
  scheme: stringMatch.optional(),
  method: stringMatch.optional(),
  authority: stringMatch.optional(),
  headers: z.record(z.string().min(1), stringMatchOrPresence).optional(),
  withoutHeaders: z.record(z.string().min(1), stringMatchOrPresence).optional(),
  queryParams: z.record(z.string().min(1), stringMatchOrPresence).optional(),
  ignoreUriCase: z.boolean().optional(),
  port: portNumber.optional(),
  sourceLabels: labels.optional(),
  sourceNamespace: dnsLabel.optional(),
  gateways: z.array(gatewayName).optional(),
  statPrefix: z.string().optional(),
});

const httpDestination = z.strictObject({ destination, weight, headers: headers.optional() });

const redirect = z
  .strictObject({
    uri: z.string().optional(),
    prefixRewrite: z.string().optional(),
    authority: z.string().optional(),
    scheme: z.enum(["http", "https"]).optional(),
    port: portNumber.optional(),
    derivePort: z.enum(["FROM_PROTOCOL_DEFAULT", "FROM_REQUEST_PORT"]).optional(),
    redirectCode: z.literal([301, 302, 303, 307, 308]).optional(),
  })
  .meta(atMostOneOf("port", "derivePort"));

const directResponse = z.strictObject({
  status: z.number().int().min(200).max(599),
  body: z
    .strictObject({
      string: z.string().max(1_000_000).optional(),
      bytes: z.base64().max(1_400_000).optional(),
    })
    .meta(atMostOneOf("string", "bytes"))
    .optional(),
});

const rewrite = z.strictObject({
  uri: z.string().optional(),
  authority: z.string().optional(),
  uriRegexRewrite: z.strictObject({ match: regex, rewrite: z.string().min(1) }).optional(),
});

const retries = z.strictObject({
  attempts: z.number().int().min(0).max(maximumInt32).default(0),
  perTryTimeout: duration.optional(),
  retryOn: z.string().optional(),
  retryRemoteLocalities: z.boolean().optional(),
  retryIgnorePreviousHosts: z.boolean().optional(),
  backoff: duration.optional(),
});

const fault = z.strictObject({
  delay: z
    .strictObject({
      percentage: percent.optional(),
      percent: z.number().int().min(0).max(100).optional(),
      fixedDelay: duration.optional(),
      exponentialDelay: z.undefined("is not supported, by Istio neither").optional(),
    })
    .optional(),
  abort: z
    .strictObject({
      percentage: percent.optional(),
      httpStatus: z.number().int().min(200).max(600).optional(),
      grpcStatus: z.enum(grpcStatusNames).optional(),
      http2Error: z.undefined("is not supported, by Istio neither").optional(),
    })
    .meta(atMostOneOf("httpStatus", "grpcStatus"))
    .optional(),
});

const corsPolicy = z.strictObject({
  allowOrigin: z.array(z.string().min(1)).optional(),
  allowOrigins: z.array(stringMatch).optional(),
  allowMethods: z.array(z.string()).optional(),
  allowHeaders: z.array(z.string()).optional(),
  exposeHeaders: z.array(z.string()).optional(),
  maxAge: duration.optional(),
  allowCredentials: z.boolean().optional(),
  unmatchedPreflights: z.enum(["UNSPECIFIED", "FORWARD", "IGNORE"]).optional(),
});

const httpRoute = z.strictObject({
  name: z.string().optional(),
  match: z.array(httpMatch).default([]),
  route: z.array(httpDestination).default([]),
  redirect: redirect.optional(),
  directResponse: directResponse.optional(),
  delegate: z.strictObject({ name: z.string().optional(), namespace: z.string().optional() }).optional(),
  rewrite: rewrite.optional(),
  timeout: duration.optional(),
  retries: retries.optional(),
  fault: fault.optional(),
  mirror: destination.optional(),
  mirrors: z.array(z.strictObject({ destination, percentage: percent.optional() })).default([]),
  mirrorPercent: z.number().int().min(0).max(100).optional(),
  mirrorPercentage: percent.optional(),
  corsPolicy: corsPolicy.optional(),
  headers: headers.optional(),
});
export type VirtualServiceHttpRoute = z.output<typeof httpRoute>;

const connectionMatch = {
  destinationSubnets: z.array(subnet).optional(),
  port: portNumber.optional(),
  sourceLabels: labels.optional(),
  sourceNamespace: dnsLabel.optional(),
  gateways: z.array(gatewayName).optional(),
};

const connectionDestinations = z.array(z.strictObject({ destination, weight })).min(1);

const tcpRoute = z.strictObject({
  match: z.array(z.strictObject({ ...connectionMatch, sourceSubnet: subnet.optional() })).default([]),
  route: connectionDestinations,
});

const tlsRoute = z.strictObject({
  match: z.array(z.strictObject({ ...connectionMatch, sniHosts: z.array(wildcardHostname).min(1) })).min(1),
  route: connectionDestinations,
});

/** networking.istio.io VirtualService. */
export const virtualService = z.strictObject({
  spec: z.strictObject({
    hosts: z.array(z.union([wildcardHostname, ipAddress])).default([]),
    gateways: z.array(gatewayName).default([]),
    http: z.array(httpRoute).default([]),
    tls: z.array(tlsRoute).default([]),
    tcp: z.array(tcpRoute).default([]),
    exportTo: exportTo.default([]),
  }),
  status,
});

export type VirtualService = z.output<typeof virtualService>;
export type VirtualServiceTcpRoute = z.output<typeof tcpRoute>;
export type VirtualServiceTlsRoute = z.output<typeof tlsRoute>;
