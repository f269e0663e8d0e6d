import { z } from "zod";
import { duration, portNumber } from "./fields.ts";
import { portSelector } from "./istio-fields.ts";
import { notCarried } from "./not-carried.ts";
import { atMostOneOf } from "./one-of.ts";

// Settings that DestinationRules, their subsets and ports, and Sidecars share.

const count = z.number().int().min(0).max(4_294_967_295);
const percent = z.number().int().min(0).max(100);

const localities = z.strictObject({
  enabled: z.boolean().optional(),
  distribute: z.array(z.strictObject({ from: z.string(), to: z.record(z.string(), percent) })).default([]),
  failover: z.array(z.strictObject({ from: z.string(), to: z.string() })).default([]),
  failoverPriority: z.array(z.string()).default([]),
});

const consistentHash = z.strictObject({
  httpHeaderName: z.string().min(1).optional(),
  httpCookie: z
    .strictObject({
      name: z.string().min(1),
      path: z.string().optional(),
      ttl: duration.optional(),
      attributes: notCarried(
        z.array(z.strictObject({ name: z.string(), value: z.string().optional() })),
      ).optional(),
    })
    .optional(),
  useSourceIp: z.boolean().optional(),
  httpQueryParameterName: z.string().min(1).optional(),
  ringHash: z.strictObject({ minimumRingSize: z.number().int().min(0).default(0) }).optional(),
  maglev: z.strictObject({ tableSize: z.number().int().min(2).max(5_000_010).default(65_537) }).optional(),
  minimumRingSize: z.number().int().min(0).optional(),
});

const loadBalancer = z
  .strictObject({
    simple: z
      .enum(["UNSPECIFIED", "LEAST_CONN", "LEAST_REQUEST", "RANDOM", "PASSTHROUGH", "ROUND_ROBIN"])
      .optional(),
    consistentHash: consistentHash.optional(),
    localityLbSetting: localities.optional(),
    zoneAwareLbSetting: notCarried(z.looseObject({})).optional(),
    backendUtilization: notCarried(z.looseObject({})).optional(),
    warmupDurationSecs: duration.optional(),
    warmup: z
      .strictObject({
        duration,
        minimumPercent: notCarried(z.number().min(0).max(100)).optional(),
        aggression: notCarried(z.number().positive()).optional(),
      })
      .optional(),
  })
  .meta(atMostOneOf("simple", "consistentHash", "backendUtilization"));

/** Limits on connections and requests. */
export const connectionPool = z.strictObject({
  tcp: z
    .strictObject({
      maxConnections: count.optional(),
      connectTimeout: duration.optional(),
      tcpKeepalive: z
        .strictObject({ probes: count.optional(), time: duration.optional(), interval: duration.optional() })
        .optional(),
      maxConnectionDuration: duration.optional(),
      idleTimeout: duration.optional(),
    })
    .optional(),
  http: z
    .strictObject({
      http1MaxPendingRequests: count.optional(),
      http2MaxRequests: count.optional(),
      maxRequestsPerConnection: count.optional(),
      maxRetries: count.optional(),
      idleTimeout: duration.optional(),
      h2UpgradePolicy: z.enum(["DEFAULT", "DO_NOT_UPGRADE", "UPGRADE"]).optional(),
      useClientProtocol: z.boolean().optional(),
      maxConcurrentStreams: count.optional(),
      http2KeepAlive: notCarried(z.strictObject({ interval: duration, timeout: duration })).optional(),
    })
    .optional(),
});
export type WrittenConnectionPool = z.output<typeof connectionPool>;

const outlierDetection = z.strictObject({
  consecutiveErrors: notCarried(
    count,
    "has no effect, in Istio neither; use consecutive5xxErrors",
  ).optional(),
  splitExternalLocalOriginErrors: z.boolean().optional(),
  consecutiveLocalOriginFailures: count.optional(),
  consecutiveGatewayErrors: count.optional(),
  consecutive5xxErrors: count.optional(),
  interval: duration.optional(),
  baseEjectionTime: duration.optional(),
  maxEjectionPercent: percent.optional(),
  minHealthPercent: percent.optional(),
  outlierDetectionHttpErrorCodes: notCarried(z.array(count)).optional(),
});

const clientTls = z.strictObject({
  mode: z.enum(["DISABLE", "SIMPLE", "MUTUAL", "ISTIO_MUTUAL"]).default("DISABLE"),
  clientCertificate: z.string().optional(),
  privateKey: z.string().optional(),
  caCertificates: z.string().optional(),
  credentialName: z.string().optional(),
  subjectAltNames: z.array(z.string()).default([]),
  sni: z.string().optional(),
  insecureSkipVerify: z.boolean().optional(),
  caCrl: notCarried(z.string()).optional(),
});
export type WrittenClientTls = z.output<typeof clientTls>;

const parts = {
  loadBalancer: loadBalancer.optional(),
  connectionPool: connectionPool.optional(),
  outlierDetection: outlierDetection.optional(),
  tls: clientTls.optional(),
};

const portPolicy = z.strictObject({ port: portSelector, ...parts });

export const trafficPolicy = z.strictObject({
  ...parts,
  portLevelSettings: z.array(portPolicy).default([]),
  tunnel: notCarried(
    z.strictObject({
      protocol: z.enum(["CONNECT", "POST"]).optional(),
      targetHost: z.string(),
      targetPort: portNumber,
    }),
  ).optional(),
  proxyProtocol: z.strictObject({ version: z.enum(["V1", "V2"]).default("V1") }).optional(),
  retryBudget: notCarried(z.looseObject({})).optional(),
});
export type WrittenTrafficPolicy = z.output<typeof trafficPolicy>;
export type WrittenPortPolicy = z.output<typeof portPolicy>;
