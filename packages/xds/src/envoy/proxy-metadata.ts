import type { JsonObject, JsonValue } from "@bufbuild/protobuf";

export type InterceptionMode = "REDIRECT" | "TPROXY" | "NONE";

/** The metadata keys that change what a proxy gets; names in the comments are the keys. */
export interface ProxyMetadata {
  /** NAMESPACE */
  readonly namespace: string | undefined;
  /** SERVICE_ACCOUNT */
  readonly serviceAccount: string;
  /** WORKLOAD_NAME */
  readonly workloadName: string;
  /** CLUSTER_ID */
  readonly clusterId: string;
  /** GENERATOR: "grpc", "event", "api" or empty. */
  readonly generator: string;
  /** ISTIO_VERSION */
  readonly istioVersion: string;
  /** LABELS and STATIC_LABELS: what counts until the registry knows the pod. */
  readonly labels: Readonly<Record<string, string>>;
  /** INSTANCE_IPS */
  readonly instanceIps: readonly string[];
  /** INTERCEPTION_MODE */
  readonly interceptionMode: InterceptionMode | undefined;
  /** HTTP10: HTTP/1.0 is accepted. */
  readonly http10: boolean;
  /** IDLE_TIMEOUT, of connections, in milliseconds. */
  readonly idleTimeoutMs: number | undefined;
  /** HTTP_PROXY_PORT: a forward proxy listens there. */
  readonly httpProxyPort: number | undefined;
  /** UNPRIVILEGED_POD: ports below 1024 cannot be bound. */
  readonly unprivileged: boolean;
  /**
   * PROXY_CONFIG is there: pilot-agent runs beside the proxy and serves its certificate over the cluster `sds-grpc`.
   */
  readonly agent: boolean;
}

const interceptionModes: readonly string[] = ["REDIRECT", "TPROXY", "NONE"] satisfies InterceptionMode[];

/** Never fails: what cannot be read is as if it was not there, as in Istio. */
export function parseMetadata(metadata: JsonObject): ProxyMetadata {
  const text = (key: string): string => textOf(metadata[key]);
  const mode = text("INTERCEPTION_MODE");
  const port = Number(text("HTTP_PROXY_PORT"));
  return {
    namespace: text("NAMESPACE") || undefined,
    serviceAccount: text("SERVICE_ACCOUNT"),
    workloadName: text("WORKLOAD_NAME"),
    clusterId: text("CLUSTER_ID"),
    generator: text("GENERATOR"),
    istioVersion: text("ISTIO_VERSION"),
    labels: { ...textsOf(metadata["STATIC_LABELS"]), ...textsOf(metadata["LABELS"]) },
    instanceIps: text("INSTANCE_IPS").split(",").filter(Boolean),
    interceptionMode: interceptionModes.includes(mode) ? (mode as InterceptionMode) : undefined,
    http10: text("HTTP10") === "1",
    idleTimeoutMs: parseGoDuration(text("IDLE_TIMEOUT")),
    httpProxyPort: Number.isInteger(port) && port > 0 && port < 65_536 ? port : undefined,
    unprivileged: text("UNPRIVILEGED_POD") === "true",
    agent: metadata["PROXY_CONFIG"] !== undefined,
  };
}

function textOf(value: JsonValue | undefined): string {
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean"
    ? `${value}`
    : "";
}

function textsOf(value: JsonValue | undefined): Record<string, string> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return {};
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, textOf(inner)]));
}

const unitMs: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/** "1h2m3s", "300ms" → milliseconds; undefined for anything else. */
function parseGoDuration(text: string): number | undefined {
  if (!/^(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+$/.test(text)) return undefined;
  const parts = text.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g);
  return Math.round(
    [...parts].reduce((sum, [, number = "", unit = ""]) => sum + Number(number) * (unitMs[unit] ?? 0), 0),
  );
}
