import { z } from "zod";
import { duration, portNumber } from "./fields.ts";

/** Fields of Istio's MeshConfig that change what proxies are served with, each one a schema of its own. */
export const meshConfigFields = {
  trustDomain: z.string().min(1),
  rootNamespace: z.string().min(1),
  proxyListenPort: portNumber,
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
} as const;

export const meshConfig = z.looseObject(meshConfigFields).partial();

/** What is for agents and their proxies' bootstrap, which read it themselves. */
export const agentFields: ReadonlySet<string> = new Set(["defaultConfig", "enablePrometheusMerge"]);

/** What else Istio knows, of 0.2 and of today. */
export const idleMeshFields: readonly string[] = [
  "authPolicy",
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
  "disablePolicyChecks",
  "discoverySelectors",
  "egressProxyAddress",
  "enableEnvoyAccessLogService",
  "enableTracing",
  "extensionProviders",
  "h2UpgradePolicy",
  "hboneIdleTimeout",
  "inboundClusterStatName",
  "inboundTrafficPolicy",
  "ingressClass",
  "ingressControllerMode",
  "ingressSelector",
  "ingressService",
  "localityLbSetting",
  "meshMTLS",
  "mixerAddress",
  "mixerCheckServer",
  "mixerReportServer",
  "mtlsExcludedServices",
  "outboundClusterStatName",
  "pathNormalization",
  "proxyHttpPort",
  "rdsRefreshDelay",
  "serviceScopeConfigs",
  "serviceSettings",
  "tcpKeepalive",
  "tlsDefaults",
  "trustDomainAliases",
  "verifyCertificateAtClient",
  "zoneAwareLbSetting",
];
