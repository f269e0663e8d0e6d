import { parseLogLevels } from "../logging/log-levels.ts";
import type { LogSettings } from "../logging/program-log.ts";
import { type KubernetesSettings, kubernetesSettings } from "./kubernetes-settings.ts";
import { type PushSettings, pushSettings } from "./push-settings.ts";
import { type SecuritySettings, securitySettings } from "./security-settings.ts";
import { type ServerAddresses, serverAddresses } from "./server-addresses.ts";
import { attempt, type Errors, type SettingsInput } from "./settings-input.ts";
import { type V1Settings, v1Settings } from "./v1-settings.ts";

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
  readonly kubernetes: KubernetesSettings;
  /** Suffix of Kubernetes' service names. */
  readonly domain: string;
  readonly addresses: ServerAddresses;
  readonly grpc: GrpcSettings;
  readonly push: PushSettings;
  readonly security: SecuritySettings;
  readonly debug: DebugSettings;
  readonly v1: V1Settings;
  readonly log: LogSettings;
  /** Scopes of the log that are named and do not exist here. */
  readonly unknownLogScopes: readonly string[];
  readonly shutdownMs: number;
}

export interface GrpcSettings {
  readonly keepaliveIntervalMs: number;
  readonly keepaliveTimeoutMs: number;
  /** Infinity: connections are not closed for their age. */
  readonly maxConnectionAgeMs: number;
  /** Undefined: the server's own bound. */
  readonly maxStreamsPerConnection: number | undefined;
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

/** @param errors what is wrong with the values is added to it */
export function discoverySettings(input: SettingsInput, errors: Errors): DiscoverySettings {
  const { flags, environment } = input;
  return {
    identity: {
      podName: environment.POD_NAME,
      namespace: flags.namespace,
      clusterId: flags.clusterID,
    },
    configDir: flags.configDir,
    meshConfigFile: flags.meshConfig,
    kubernetes: kubernetesSettings(input, errors),
    domain: flags.domain,
    addresses: serverAddresses(input, errors),
    grpc: grpcSettings(input, errors),
    push: pushSettings(input, errors),
    security: securitySettings(input, errors),
    debug: {
      onHttp: environment.ENABLE_DEBUG_ON_HTTP,
      byNamespace: environment.ENABLE_DEBUG_ENDPOINT_AUTH,
      allowedNamespaces: environment.DEBUG_ENDPOINT_AUTH_ALLOWED_NAMESPACES,
      admin: environment.UNSAFE_ENABLE_ADMIN_ENDPOINTS,
      metricsForLocalhostOnly: environment.METRICS_LOCALHOST_ACCESS_ONLY,
    },
    v1: v1Settings(input, errors),
    ...logSettings(input, errors),
    shutdownMs: positive("shutdownDuration", input, errors),
  };
}

function grpcSettings(input: SettingsInput, errors: Errors): GrpcSettings {
  const { environment, givenEnvironment } = input;
  const { ISTIO_GPRC_MAXSTREAMS: maxStreams, ISTIO_GPRC_MAXRECVMSGSIZE: maxRequestBytes } = environment;
  return {
    keepaliveIntervalMs: positive("keepaliveInterval", input, errors),
    keepaliveTimeoutMs: positive("keepaliveTimeout", input, errors),
    maxConnectionAgeMs: positive("keepaliveMaxServerConnectionAge", input, errors),
    maxStreamsPerConnection: givenEnvironment.has("ISTIO_GPRC_MAXSTREAMS") ? maxStreams : undefined,
    maxRequestBytes: givenEnvironment.has("ISTIO_GPRC_MAXRECVMSGSIZE") ? maxRequestBytes : undefined,
  };
}

type DurationFlag =
  | "keepaliveInterval"
  | "keepaliveTimeout"
  | "keepaliveMaxServerConnectionAge"
  | "shutdownDuration";

function positive(flag: DurationFlag, { flags }: SettingsInput, errors: Errors): number {
  if (flags[flag] < 0) errors.push(`--${flag}: a duration below zero makes no sense`);
  return flags[flag];
}

function logSettings(
  { flags }: SettingsInput,
  errors: Errors,
): Pick<DiscoverySettings, "log" | "unknownLogScopes"> {
  const parsed = attempt("--log_output_level", errors, () => parseLogLevels(flags.log_output_level));
  const { levels, unknownScopes } = parsed ?? parseLogLevels("");
  const log = { levels, json: flags.log_as_json, targets: flags.log_target };
  return { log, unknownLogScopes: unknownScopes };
}
