import { accepted, honoured, istiod } from "../setting.ts";

/** What is read from Kubernetes. */
export const kubernetesEnvironment = {
  ENABLE_LEADER_ELECTION: honoured("bool", "true", istiod, "of several replicas one writes to Kubernetes"),
  ISTIO_WATCH_NAMESPACE: accepted("string", "", istiod, "the only namespace that is watched"),
  PILOT_IGNORE_RESOURCES: accepted("list", "", istiod, "kinds that are not read"),
  PILOT_INCLUDE_RESOURCES: accepted("list", "", istiod, "kinds that are read all the same"),
  PILOT_REMOTE_CLUSTER_TIMEOUT: accepted(
    "duration",
    "30s",
    istiod,
    "time in which another cluster must be read",
  ),
  PILOT_ENABLE_SERVICEENTRY_SELECT_PODS: accepted("bool", "true", istiod, "a ServiceEntry may select pods"),
  PILOT_ENABLE_K8S_SELECT_WORKLOAD_ENTRIES: accepted(
    "bool",
    "true",
    istiod,
    "a Service may select workload entries",
  ),
  PILOT_ENABLE_WORKLOAD_ENTRY_AUTOREGISTRATION: accepted(
    "bool",
    "true",
    istiod,
    "a workload outside the cluster registers itself",
  ),
  PILOT_ENABLE_WORKLOAD_ENTRY_HEALTHCHECKS: accepted(
    "bool",
    "true",
    istiod,
    "a workload outside the cluster reports its health",
  ),
  PILOT_ENABLE_IP_AUTOALLOCATE: accepted("bool", "true", istiod, "a ServiceEntry without addresses gets one"),
  PILOT_SCOPE_GATEWAY_TO_NAMESPACE: accepted(
    "bool",
    "false",
    istiod,
    "a Gateway selects workloads of its own namespace only",
  ),
  ENABLE_NATIVE_SIDECARS: accepted("string", "auto", istiod, "inject sidecars as init containers"),
};

/** The Gateway API. */
export const gatewayApiEnvironment = {
  PILOT_ENABLE_GATEWAY_API: accepted("bool", "true", istiod, "read the Gateway API's kinds"),
  PILOT_ENABLE_GATEWAY_API_STATUS: honoured("bool", "true", istiod, "write their statuses"),
  PILOT_ENABLE_GATEWAY_API_DEPLOYMENT_CONTROLLER: accepted("bool", "true", istiod, "deploy gateways"),
  PILOT_ENABLE_GATEWAY_API_GATEWAYCLASS_CONTROLLER: accepted(
    "bool",
    "true",
    istiod,
    "make the gateway classes",
  ),
  PILOT_GATEWAY_API_CONTROLLER_NAME: honoured(
    "string",
    "istio.io/gateway-controller",
    istiod,
    "name of the controller in gateway classes and statuses",
  ),
  PILOT_GATEWAY_API_DEFAULT_GATEWAYCLASS_NAME: accepted(
    "string",
    "istio",
    istiod,
    "name of the gateway class",
  ),
  PILOT_ENABLE_AMBIENT: accepted("bool", "false", istiod, "serve ztunnels"),
  PILOT_ENABLE_AGENTGATEWAY: accepted("bool", "false", istiod, "serve agent gateways"),
};

/** What is generated for proxies. */
export const generatedEnvironment = {
  PILOT_TRACE_SAMPLING: accepted("float", "1.0", istiod, "requests that are traced, in percent"),
  PILOT_ENABLE_ALPN_FILTER: accepted("bool", "true", istiod, "Istio's ALPN filter in listeners"),
  PILOT_ENABLE_EDS_FOR_HEADLESS_SERVICES: accepted("bool", "false", istiod, "EDS for headless services"),
  PILOT_JWT_ENABLE_REMOTE_JWKS: accepted(
    "string",
    "false",
    istiod,
    "proxies fetch keys of tokens themselves",
  ),
  PILOT_ENABLE_MONGO_FILTER: accepted("bool", "true", istiod, "the Mongo filter in listeners"),
  PILOT_ENABLE_REDIS_FILTER: accepted("bool", "false", istiod, "the Redis filter in listeners"),
  PILOT_ENABLE_MYSQL_FILTER: accepted("bool", "false", istiod, "the MySQL filter in listeners"),
  ISTIO_DUAL_STACK: accepted("bool", "false", istiod, "listeners of both address families"),
  PILOT_ENABLE_ABSOLUTE_FQDN_VHOST_DOMAIN: accepted(
    "bool",
    "true",
    istiod,
    "hosts with a trailing dot in virtual hosts",
  ),
  PILOT_PERSISTENT_SESSION_LABEL: accepted(
    "string",
    "istio.io/persistent-session",
    istiod,
    "label of services with sticky sessions by cookie",
  ),
  PILOT_DRAINING_LABEL: accepted("string", "istio.io/draining", istiod, "label of pods that drain"),
  COMPLIANCE_POLICY: accepted("string", "", istiod, "fips-140-2, pqc: restrict TLS in proxies"),
  PILOT_ENABLE_ANALYSIS: accepted("bool", "false", istiod, "analyse the configuration"),
};
