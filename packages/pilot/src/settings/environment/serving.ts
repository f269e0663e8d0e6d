import { accepted, honoured, istiod, newAges, only07 } from "../setting.ts";

/** What can be looked at. */
export const debugEnvironment = {
  ENABLE_DEBUG_ON_HTTP: honoured("bool", "true", istiod, "serve /debug over HTTP"),
  ENABLE_DEBUG_ENDPOINT_AUTH: honoured(
    "bool",
    "true",
    istiod,
    "callers outside the root namespace may see their own namespace's proxies only",
  ),
  DEBUG_ENDPOINT_AUTH_ALLOWED_NAMESPACES: honoured(
    "list",
    "",
    istiod,
    "namespaces that may see what the root namespace may",
  ),
  UNSAFE_ENABLE_ADMIN_ENDPOINTS: honoured("bool", "false", istiod, "serve /debug/force_disconnect"),
  METRICS_LOCALHOST_ACCESS_ONLY: honoured("bool", "false", istiod, "/metrics is for this machine only"),
};

/** How configuration reaches proxies. */
export const pushEnvironment = {
  PILOT_DEBOUNCE_AFTER: honoured(
    "duration",
    "100ms",
    istiod,
    "changes reach proxies after this time without another",
  ),
  PILOT_DEBOUNCE_MAX: honoured(
    "duration",
    "10s",
    istiod,
    "changes reach proxies after this time at the latest",
  ),
  PILOT_ENABLE_EDS_DEBOUNCE: honoured("bool", "true", istiod, "changes of endpoints wait, too"),
  PILOT_PUSH_THROTTLE: honoured(
    "int",
    "0",
    istiod,
    "proxies that are pushed to before requests are looked at again; 0: as many as 20 ms allow",
  ),
  PILOT_MAX_REQUESTS_PER_SECOND: honoured("float", "0", istiod, "new streams a second; 0: no limit"),
  ISTIO_GPRC_MAXSTREAMS: honoured("int", "100000", newAges, "streams of one gRPC connection"),
  ISTIO_GPRC_MAXRECVMSGSIZE: honoured(
    "int",
    "4194304",
    istiod,
    "bytes of a request; 16 MiB if it is not set",
  ),
  ISTIO_DELTA_XDS: accepted("bool", "true", istiod, "proxies ask for differences; both ways are served"),
  GRPC_KEEPALIVE_INTERVAL: honoured("duration", "30s", istiod, "default of --keepaliveInterval"),
  GRPC_KEEPALIVE_TIMEOUT: honoured("duration", "10s", istiod, "default of --keepaliveTimeout"),
  PILOT_THROTTLE: accepted("int", "100", only07, "events a second that are taken"),
  PILOT_CACHE_SQUASH: accepted(
    "int",
    "1",
    only07,
    "seconds in which the v1 REST API's cache is flushed once",
  ),
  PILOT_VALIDATE_CLUSTERS: accepted(
    "string",
    "",
    only07,
    "false: routes may name clusters that do not exist",
  ),
  V2_REFRESH: accepted("string", "", only07, "interval of v2 xDS's refresh"),
  PILOT_DEBUG_EDS: accepted("string", "", only07, "0: log less of EDS"),
  PILOT_DEBUG_LDS: accepted("string", "", only07, "0: log less of LDS"),
  PILOT_DEBUG_CDS: accepted("string", "", only07, "0: log less of CDS"),
};
