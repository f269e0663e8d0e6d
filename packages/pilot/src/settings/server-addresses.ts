import { type ListenAddress, parseListenAddress } from "../listen-address.ts";
import { attempt, type Errors, type SettingsInput } from "./settings-input.ts";

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

export function serverAddresses({ flags, givenFlags }: SettingsInput, errors: Errors): ServerAddresses {
  type AddressFlag = "grpcAddr" | "httpAddr" | "secureGRPCAddr" | "httpsAddr" | "monitoringAddr";
  const at = (flag: AddressFlag): ListenAddress | undefined =>
    flags[flag] === "" ? undefined : attempt(`--${flag}`, errors, () => parseListenAddress(flags[flag]));
  type PortFlag = "port" | "monitoringPort" | "admission-service-port";
  const everywhere = (flag: PortFlag): ListenAddress | undefined =>
    attempt(`--${flag}`, errors, () => parseListenAddress(`:${flags[flag]}`));
  const http = at("httpAddr");
  const port = givenFlags.has("port") ? everywhere("port") : undefined;
  if (flags.grpcAddr === "" && flags.httpAddr === "" && port === undefined) {
    errors.push("--grpcAddr and --httpAddr are both empty: xDS would be served nowhere");
  }
  const isAdmission = [...givenFlags].some((flag) => flag.startsWith("admission-"));
  return {
    grpc: at("grpcAddr"),
    http: port === undefined ? http : { host: http?.host ?? port.host, port: port.port },
    secureGrpc: at("secureGRPCAddr"),
    https: at("httpsAddr"),
    monitoring: at("monitoringAddr"),
    oldMonitoring: flags.monitoringPort === 0 ? undefined : everywhere("monitoringPort"),
    admission: isAdmission ? everywhere("admission-service-port") : undefined,
  };
}
