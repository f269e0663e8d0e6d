import { z } from "zod";
import { duration, portNumber } from "./fields.ts";

/** A port, or 0 for none. */
const optionalPort = portNumber.or(z.literal(0));

/** Empty, or "name:port". */
const hostAndPort = z.string().regex(/^$|^.+:\d{1,5}$/, "is neither empty nor host:port");

/** Fields that only proxies of Istio 0.2 to 0.7 know. */
const legacyFields = {
  mixerAddress: hostAndPort,
  disablePolicyChecks: z.boolean(),
  egressProxyAddress: hostAndPort,
  proxyHttpPort: optionalPort,
  authPolicy: z.enum(["NONE", "MUTUAL_TLS"]),
  rdsRefreshDelay: duration,
  enableTracing: z.boolean(),
} as const;

/** Fields of Istio's MeshConfig that change what proxies are served with, each one a schema of its own. */
export const meshConfigFields = {
  trustDomain: z.string().min(1),
  rootNamespace: z.string().min(1),
  /** 0 is for proxies of Istio 0.2 to 0.7 only. */
  proxyListenPort: optionalPort,
  proxyInboundListenPort: portNumber,
  connectTimeout: duration,
  outboundTrafficPolicy: z.looseObject({
    mode: z.enum(["REGISTRY_ONLY", "ALLOW_ANY"]).default("REGISTRY_ONLY"),
  }),
  accessLogFile: z.string(),
  accessLogEncoding: z.enum(["TEXT", "JSON"]),
  accessLogFormat: z.string(),
  protocolDetectionTimeout: duration,
  enableAutoMtls: z.boolean(),
  dnsRefreshRate: duration,
  ingressClass: z.string().min(1),
  ingressControllerMode: z.enum(["OFF", "DEFAULT", "STRICT"]),
  ...legacyFields,
} as const;

export const meshConfig = z.looseObject(meshConfigFields).partial();

/** What is for agents and their proxies' bootstrap, which read it themselves. */
export const agentFields: ReadonlySet<string> = new Set(["defaultConfig", "enablePrometheusMerge"]);

/** What else Istio knows, of 0.2 and of today. */
export const idleMeshFields: readonly string[] = [
  "ca",
  "caCertificates",
  "certificates",
  "configSources",
  "controlPlaneAuthPolicy",
  "defaultDestinationRuleExportTo",
  "defaultHttpRetryPolicy",
  "defaultProviders",
  "defaultServiceExportTo",
  "defaultVirtualServiceExportTo",
  "disableEnvoyListenerLog",
  "discoverySelectors",
  "enableEnvoyAccessLogService",
  "extensionProviders",
  "h2UpgradePolicy",
  "hboneIdleTimeout",
  "inboundClusterStatName",
  "inboundTrafficPolicy",
  "ingressSelector",
  "ingressService",
  "localityLbSetting",
  "meshMTLS",
  "mixerCheckServer",
  "mixerReportServer",
  "mtlsExcludedServices",
  "outboundClusterStatName",
  "pathNormalization",
  "serviceScopeConfigs",
  "serviceSettings",
  "tcpKeepalive",
  "tlsDefaults",
  "trustDomainAliases",
  "verifyCertificateAtClient",
  "zoneAwareLbSetting",
];
