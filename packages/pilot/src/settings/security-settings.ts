import type { SecurityPlace, SecurityVariables } from "../ca/serving-options.ts";
import type { Errors, SettingsInput } from "./settings-input.ts";

/** The certificate authority, this program's own certificate, and who may call over TLS. */
export interface SecuritySettings {
  /** Whether callers over TLS must say who they are. */
  readonly authenticationRequired: boolean;
  readonly variables: SecurityVariables;
  readonly tls: SecurityPlace["tls"];
}

export function securitySettings(input: SettingsInput, errors: Errors): SecuritySettings {
  return {
    authenticationRequired: input.environment.XDS_AUTH,
    variables: variablesOf(input),
    tls: tlsSettings(input, errors),
  };
}

const names = [
  "ENABLE_CA_SERVER",
  "PILOT_CERT_PROVIDER",
  "EXTERNAL_CA",
  "ROOT_CA_DIR",
  "ISTIO_MULTIROOT_MESH",
  "DEFAULT_WORKLOAD_CERT_TTL",
  "MAX_WORKLOAD_CERT_TTL",
  "CITADEL_SELF_SIGNED_CA_CERT_TTL",
  "CITADEL_SELF_SIGNED_CA_RSA_KEY_SIZE",
  "CITADEL_SELF_SIGNED_ROOT_CERT_CHECK_INTERVAL",
  "CITADEL_SELF_SIGNED_ROOT_CERT_GRACE_PERIOD_PERCENTILE",
  "CITADEL_ENABLE_JITTER_FOR_ROOT_CERT_ROTATOR",
  "CA_TRUSTED_NODE_ACCOUNTS",
  "ISTIOD_CUSTOM_HOST",
  "PILOT_ENABLE_XDS_IDENTITY_CHECK",
  "TOKEN_AUDIENCES",
  "JWT_RULE",
  "TRUSTED_GATEWAY_CIDR",
  "REVISION",
] as const;

const variablesOf = ({ environment }: SettingsInput): SecurityVariables => pick(environment, names);

function pick<T, Name extends keyof T>(values: T, wanted: readonly Name[]): Pick<T, Name> {
  return Object.fromEntries(wanted.map((name) => [name, values[name]])) as Pick<T, Name>;
}

function tlsSettings({ flags }: SettingsInput, errors: Errors): SecurityPlace["tls"] {
  const { tlsCertFile: certFile, tlsKeyFile: keyFile, caCertFile } = flags;
  const given = [certFile, keyFile, caCertFile].filter((file) => file !== "").length;
  if (given !== 0 && given !== 3) {
    errors.push("--tlsCertFile, --tlsKeyFile and --caCertFile belong together: give all three or none");
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
