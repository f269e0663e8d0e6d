import { join } from "node:path";
import { applierServiceAccount } from "@keelson/model/names";
import type { ApiServer } from "@keelson/sources";
import type { Authenticator } from "../auth/authenticator.ts";
import { ForwardedCertificateAuthenticator } from "../auth/forwarded-certificate.ts";
import { sanitizeTrustDomain } from "../auth/identity.ts";
import { JwtAuthenticator } from "../auth/jwt-authenticator.ts";
import { parseJwtRule } from "../auth/jwt-rule.ts";
import { TokenReviewAuthenticator } from "../auth/token-review-authenticator.ts";
import { FileRootStore } from "./file-root-store.ts";
import { serverCertificateFiles } from "./file-server-certificate.ts";
import type { RootStore } from "./root-store.ts";
import { SecretRootStore } from "./secret-root-store.ts";
import type { SecureServingOptions } from "./secure-serving.ts";
import { serverNames } from "./server-certificate.ts";
import type { TlsOptions } from "./tls-options.ts";

/** Values of Pilot's environment variables, under their names. Durations are in ms. */
export interface SecurityVariables {
  readonly ENABLE_CA_SERVER: boolean;
  readonly PILOT_CERT_PROVIDER: string;
  readonly EXTERNAL_CA: string;
  readonly ROOT_CA_DIR: string;
  readonly ISTIO_MULTIROOT_MESH: boolean;
  readonly DEFAULT_WORKLOAD_CERT_TTL: number;
  readonly MAX_WORKLOAD_CERT_TTL: number;
  readonly CITADEL_SELF_SIGNED_CA_CERT_TTL: number;
  readonly CITADEL_SELF_SIGNED_CA_RSA_KEY_SIZE: number;
  readonly CITADEL_SELF_SIGNED_ROOT_CERT_CHECK_INTERVAL: number;
  readonly CITADEL_SELF_SIGNED_ROOT_CERT_GRACE_PERIOD_PERCENTILE: number;
  readonly CITADEL_ENABLE_JITTER_FOR_ROOT_CERT_ROTATOR: boolean;
  readonly CA_TRUSTED_NODE_ACCOUNTS: readonly string[];
  readonly ISTIOD_CUSTOM_HOST: readonly string[];
  readonly PILOT_ENABLE_XDS_IDENTITY_CHECK: boolean;
  readonly TOKEN_AUDIENCES: readonly string[];
  readonly JWT_RULE: string;
  readonly TRUSTED_GATEWAY_CIDR: readonly string[];
  readonly REVISION: string;
}

/** What else decides how the port with TLS is served. */
export interface SecurityPlace {
  /** The control plane's. */
  readonly namespace: string;
  /** Of the mesh configuration. */
  readonly trustDomain: string;
  /** Of the mesh's discovery address; "" for none. */
  readonly discoveryHost: string;
  /** A self-made root is kept here where there is no Kubernetes. */
  readonly stateFolder: string;
  /** Where tokens are reviewed, and a self-made root is kept; left out where the configuration is not Kubernetes'. */
  readonly apiServer?: ApiServer | undefined;
  readonly tls: TlsOptions & {
    /** PEM files of --caCertFile, --tlsCertFile and --tlsKeyFile; "" for none. */
    readonly caCertFile: string;
    readonly certFile: string;
    readonly keyFile: string;
  };
}

type Options = Omit<SecureServingOptions, "registry" | "logger">;

/**
 * How the port with TLS is to be served, as Pilot's variables and flags say.
 * @returns undefined if nobody makes a certificate for it: then there is no such port
 * @throws Error for what Pilot refuses, and for signers that are not ours
 */
export function secureServingOptions(
  variables: SecurityVariables,
  place: SecurityPlace,
): Options | undefined {
  const { ENABLE_CA_SERVER: hasAuthority, PILOT_CERT_PROVIDER: provider } = variables;
  const { caCertFile: ca, certFile: certificate, keyFile: key, minVersion, cipherSuites } = place.tls;
  checkSigners(variables);
  const files = serverCertificateFiles({ ca, certificate, key });
  if (files === undefined && !(hasAuthority && provider === "istiod")) return undefined;
  const trustDomain = sanitizeTrustDomain(place.trustDomain);
  const nodeAccounts = new Set([
    `${place.namespace}/${applierServiceAccount}`,
    ...variables.CA_TRUSTED_NODE_ACCOUNTS,
  ]);
  return {
    trustDomain,
    ...(hasAuthority ? { authority: authorityOptions(variables, place) } : {}),
    ...(files === undefined ? {} : { certificateFiles: files }),
    names: serverNames({
      namespace: place.namespace,
      revision: variables.REVISION,
      discoveryHost: place.discoveryHost,
      customHosts: variables.ISTIOD_CUSTOM_HOST,
    }),
    certificateLifetimeMs: variables.DEFAULT_WORKLOAD_CERT_TTL,
    tls: { minVersion, cipherSuites },
    authenticators: authenticators(variables, { trustDomain, nodeAccounts, apiServer: place.apiServer }),
    nodeRules: { identityCheck: variables.PILOT_ENABLE_XDS_IDENTITY_CHECK, nodeAccounts },
  };
}

/** Another signer silently replaced by our own would split the mesh in two. */
function checkSigners({ EXTERNAL_CA: external, PILOT_CERT_PROVIDER: provider }: SecurityVariables): void {
  if (external !== "")
    throw new Error(`EXTERNAL_CA is "${external}": no other authority can sign yet; leave it empty`);
  if (provider === "kubernetes" || provider.startsWith("k8s.io/")) {
    throw new Error(
      `PILOT_CERT_PROVIDER is "${provider}": Kubernetes does not sign for this control plane; use istiod, or custom with files of a certificate, or none`,
    );
  }
}

/** As istiod: in a Secret where there is Kubernetes. */
const rootStore = ({ apiServer: api, namespace, stateFolder }: SecurityPlace): RootStore =>
  api === undefined
    ? new FileRootStore(join(stateFolder, "ca-root.json"))
    : new SecretRootStore({ api, namespace });

function authorityOptions(
  variables: SecurityVariables,
  place: SecurityPlace,
): NonNullable<Options["authority"]> {
  return {
    directory: variables.ROOT_CA_DIR,
    multiRoot: variables.ISTIO_MULTIROOT_MESH,
    selfMade: {
      store: rootStore(place),
      trustDomain: place.trustDomain,
      lifetimeMs: variables.CITADEL_SELF_SIGNED_CA_CERT_TTL,
      rsaBits: variables.CITADEL_SELF_SIGNED_CA_RSA_KEY_SIZE,
      gracePercent: variables.CITADEL_SELF_SIGNED_ROOT_CERT_GRACE_PERIOD_PERCENTILE,
    },
    checkIntervalMs: variables.CITADEL_SELF_SIGNED_ROOT_CERT_CHECK_INTERVAL,
    checkJitter: variables.CITADEL_ENABLE_JITTER_FOR_ROOT_CERT_ROTATOR,
    lifetimes: {
      defaultMs: variables.DEFAULT_WORKLOAD_CERT_TTL,
      maximumMs: variables.MAX_WORKLOAD_CERT_TTL,
    },
  };
}

interface TokenPlace extends Pick<SecurityPlace, "trustDomain" | "apiServer"> {
  readonly nodeAccounts: ReadonlySet<string>;
}

/** In the order in which Pilot asks them. */
function authenticators(
  variables: SecurityVariables,
  { trustDomain, nodeAccounts, apiServer: api }: TokenPlace,
): Authenticator[] {
  const { JWT_RULE: jwtRule, TOKEN_AUDIENCES: audiences, TRUSTED_GATEWAY_CIDR: gateways } = variables;
  return [
    ...(jwtRule === "" ? [] : [new JwtAuthenticator(parseJwtRule(jwtRule, audiences), trustDomain)]),
    ...(api === undefined
      ? []
      : [new TokenReviewAuthenticator({ api, audiences, trustDomain, nodeAccounts })]),
    ...(gateways.length === 0 ? [] : [new ForwardedCertificateAuthenticator(gateways, trustDomain)]),
  ];
}
