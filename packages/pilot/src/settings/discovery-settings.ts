import { type ListenAddress, parseListenAddress } from "../listen-address.ts";
import { parseLogLevels } from "../logging/log-levels.ts";
import type { LogSettings } from "../logging/program-log.ts";
import type { discoveryEnvironment } from "./environment/environment.ts";
import type { discoveryFlags } from "./flags/flags.ts";
import { type V1Settings, v1Settings } from "./v1-settings.ts";
import type { Values } from "./values.ts";

/** What `discovery` is to do, as its flags and environment say. Times are in ms. */
export interface DiscoverySettings {
  /** Who this control plane is. */
  readonly identity: {
    readonly podName: string;
    readonly namespace: string;
    readonly clusterId: string;
  };
  /** Empty: no configuration from files. */
  readonly configDir: string;
  readonly meshConfigFile: string;
  /** Suffix of Kubernetes' service names. */
  readonly domain: string;
  readonly addresses: ServerAddresses;
  readonly tls: TlsSettings;
  readonly grpc: GrpcSettings;
  readonly debug: DebugSettings;
  readonly v1: V1Settings;
  readonly log: LogSettings;
  readonly shutdownMs: number;
}

/** What is to be listened on; undefined: not at all. */
export interface ServerAddresses {
  /** xDS in the clear; undefined: on the address of `http`. */
  readonly grpc: ListenAddress | undefined;
  readonly http: ListenAddress | undefined;
  readonly secureGrpc: ListenAddress | undefined;
  readonly https: ListenAddress | undefined;
  readonly monitoring: ListenAddress | undefined;
  /** Where Pilot 0.7 has what `monitoring` has today. */
  readonly oldMonitoring: ListenAddress | undefined;
  /** Webhooks where Pilot 0.2 and 0.7 have them. */
  readonly admission: ListenAddress | undefined;
}

export interface TlsSettings {
  /** PEM files of the server's own certificate; empty: it is made by the certificate authority. */
  readonly caCertFile: string;
  readonly certFile: string;
  readonly keyFile: string;
  readonly minVersion: "TLSv1.2" | "TLSv1.3";
  /** IANA names; empty: Node's choice. */
  readonly cipherSuites: readonly string[];
}

export interface GrpcSettings {
  readonly keepaliveIntervalMs: number;
  readonly keepaliveTimeoutMs: number;
  /** Infinity: connections are not closed for their age. */
  readonly maxConnectionAgeMs: number;
  readonly maxStreamsPerConnection: number;
  /** Bytes; undefined: the server's own bound. */
  readonly maxRequestBytes: number | undefined;
}

export interface DebugSettings {
  readonly onHttp: boolean;
  /** Whether callers outside the root namespace see their own namespace only. */
  readonly byNamespace: boolean;
  /** Namespaces that see as much as the root namespace. */
  readonly allowedNamespaces: readonly string[];
  /** Whether /debug/force_disconnect is served. */
  readonly admin: boolean;
  readonly metricsForLocalhostOnly: boolean;
}

export interface SettingsInput {
  readonly flags: Values<typeof discoveryFlags>;
  /** Names of the flags that were given. */
  readonly givenFlags: ReadonlySet<string>;
  readonly environment: Values<typeof discoveryEnvironment>;
  readonly givenEnvironment: ReadonlySet<string>;
}

/** @param errors what is wrong with the values is added to it */
export function discoverySettings(input: SettingsInput, errors: string[]): DiscoverySettings {
  const { flags, environment } = input;
  return {
    identity: { podName: environment.POD_NAME, namespace: flags.namespace, clusterId: flags.clusterID },
    configDir: flags.configDir,
    meshConfigFile: flags.meshConfig,
    domain: flags.domain,
    addresses: serverAddresses(input, errors),
    tls: tlsSettings(input, errors),
    grpc: grpcSettings(input, errors),
    debug: {
      onHttp: environment.ENABLE_DEBUG_ON_HTTP,
      byNamespace: environment.ENABLE_DEBUG_ENDPOINT_AUTH,
      allowedNamespaces: environment.DEBUG_ENDPOINT_AUTH_ALLOWED_NAMESPACES,
      admin: environment.UNSAFE_ENABLE_ADMIN_ENDPOINTS,
      metricsForLocalhostOnly: environment.METRICS_LOCALHOST_ACCESS_ONLY,
    },
    v1: v1Settings(input, errors),
    log: logSettings(input, errors),
    shutdownMs: positive("shutdownDuration", input, errors),
  };
}

function serverAddresses({ flags, givenFlags }: SettingsInput, errors: string[]): ServerAddresses {
  const at = (flag: "grpcAddr" | "httpAddr" | "secureGRPCAddr" | "httpsAddr" | "monitoringAddr") => {
    const text = flags[flag];
    return text === "" ? undefined : attempt(`--${flag}`, errors, () => parseListenAddress(text));
  };
  const everywhere = (flag: "port" | "monitoringPort" | "admission-service-port") =>
    attempt(`--${flag}`, errors, () => parseListenAddress(`:${flags[flag]}`));
  const http = at("httpAddr");
  const port = givenFlags.has("port") ? everywhere("port") : undefined;
  const addresses = {
    grpc: at("grpcAddr"),
    http: port === undefined ? http : { host: http?.host ?? port.host, port: port.port },
    secureGrpc: at("secureGRPCAddr"),
    https: at("httpsAddr"),
    monitoring: at("monitoringAddr"),
    oldMonitoring: flags.monitoringPort === 0 ? undefined : everywhere("monitoringPort"),
    admission: [...givenFlags].some((flag) => flag.startsWith("admission-"))
      ? everywhere("admission-service-port")
      : undefined,
  };
  if (flags.grpcAddr === "" && flags.httpAddr === "" && port === undefined) {
    errors.push("--grpcAddr and --httpAddr are both empty: xDS would be served nowhere");
  }
  return addresses;
}

function tlsSettings({ flags }: SettingsInput, errors: string[]): TlsSettings {
  const { tlsCertFile: certFile, tlsKeyFile: keyFile, caCertFile } = flags;
  if ((certFile === "") !== (keyFile === "")) {
    errors.push("--tlsCertFile and --tlsKeyFile belong together: one of them is missing");
  }
  const version = flags["tls-min-version"];
  if (version !== "1.2" && version !== "1.3") {
    errors.push(`--tls-min-version: "${version}" is neither 1.2 nor 1.3`);
  }
  return {
    caCertFile,
    certFile,
    keyFile,
    minVersion: version === "1.3" ? "TLSv1.3" : "TLSv1.2",
    cipherSuites: flags["tls-cipher-suites"],
  };
}

function grpcSettings(input: SettingsInput, errors: string[]): GrpcSettings {
  const { environment, givenEnvironment } = input;
  const maxRequestBytes = environment.ISTIO_GPRC_MAXRECVMSGSIZE;
  return {
    keepaliveIntervalMs: positive("keepaliveInterval", input, errors),
    keepaliveTimeoutMs: positive("keepaliveTimeout", input, errors),
    maxConnectionAgeMs: positive("keepaliveMaxServerConnectionAge", input, errors),
    maxStreamsPerConnection: environment.ISTIO_GPRC_MAXSTREAMS,
    maxRequestBytes: givenEnvironment.has("ISTIO_GPRC_MAXRECVMSGSIZE") ? maxRequestBytes : undefined,
  };
}

type DurationFlag =
  | "keepaliveInterval"
  | "keepaliveTimeout"
  | "keepaliveMaxServerConnectionAge"
  | "shutdownDuration";

function positive(flag: DurationFlag, { flags }: SettingsInput, errors: string[]): number {
  if (flags[flag] < 0) errors.push(`--${flag}: a duration below zero makes no sense`);
  return flags[flag];
}

function logSettings({ flags }: SettingsInput, errors: string[]): LogSettings {
  const parsed = attempt("--log_output_level", errors, () => parseLogLevels(flags.log_output_level));
  const { levels } = parsed ?? parseLogLevels("");
  return { levels, json: flags.log_as_json, targets: flags.log_target };
}

/** @returns undefined if `make` throws; why is added to `errors`. */
function attempt<T>(what: string, errors: string[], make: () => T): T | undefined {
  try {
    return make();
  } catch (error) {
    errors.push(`${what}: ${(error as Error).message}`);
    return undefined;
  }
}
