import { accepted, everyAge, honoured, istiod, newAges, oldAges, only07 } from "../setting.ts";

/** What is listened on, and how. An address is host:port or :port; empty: not opened, unless another meaning is told. */
export const serverFlags = {
  grpcAddr: honoured("string", ":15010", newAges, "xDS in the clear; empty: on --httpAddr"),
  httpAddr: honoured("string", ":8080", istiod, "/ready, /debug and the v1 REST API"),
  port: honoured("int", "8080", oldAges, "port of --httpAddr, for those who knew it by this name"),
  secureGRPCAddr: honoured("string", ":15012", istiod, "xDS and the certificate authority over TLS"),
  httpsAddr: honoured("string", ":15017", istiod, "webhooks over TLS"),
  monitoringAddr: honoured("string", ":15014", istiod, "/metrics, /version and /debug"),
  monitoringPort: honoured("int", "9093", only07, "a second port with what --monitoringAddr serves; 0: none"),
  ctrlz_address: accepted("string", "localhost", istiod, "address of Istio's introspection page"),
  ctrlz_port: accepted("uint16", "9876", istiod, "port of Istio's introspection page"),
  caCertFile: honoured("string", "", istiod, "PEM file with the roots that --tlsCertFile is verified by"),
  tlsCertFile: honoured(
    "string",
    "",
    istiod,
    "PEM file with the server's certificate; empty: one of the program's own authority",
  ),
  tlsKeyFile: honoured("string", "", istiod, "PEM file with the private key of --tlsCertFile"),
  "tls-cipher-suites": honoured(
    "list",
    "",
    istiod,
    "cipher suites of TLS 1.2 by their IANA names; empty: Node's own choice",
  ),
  "tls-min-version": honoured("string", "1.2", istiod, "least version of TLS: 1.2 or 1.3"),
  keepaliveInterval: honoured(
    "duration",
    "30s",
    istiod,
    "a gRPC connection that is silent for this time is pinged",
    { defaultFrom: "GRPC_KEEPALIVE_INTERVAL" },
  ),
  keepaliveTimeout: honoured(
    "duration",
    "10s",
    istiod,
    "a ping that is not answered for this time ends the connection",
    { defaultFrom: "GRPC_KEEPALIVE_TIMEOUT" },
  ),
  keepaliveMaxServerConnectionAge: honoured(
    "duration",
    "2562047h47m16.854775807s",
    istiod,
    "a gRPC connection is closed after this time, gracefully",
  ),
  shutdownDuration: honoured("duration", "10s", istiod, "at the end, streams may take this time to end"),
  profile: accepted("bool", "true", everyAge, "Go's profiles below /debug/pprof"),
  discovery_cache: accepted(
    "bool",
    "true",
    oldAges,
    "keep answers of the v1 REST API; they are always made from the current snapshot",
  ),
  rdsv2: accepted("bool", "false", only07, "serve routes over v2 xDS"),
  webhookEndpoint: accepted("string", "", only07, "address that may rewrite generated configuration"),
};
