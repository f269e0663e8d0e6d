import { accepted, honoured, istiod } from "../setting.ts";

/** The certificate authority. */
export const authorityEnvironment = {
  ENABLE_CA_SERVER: honoured("bool", "true", istiod, "sign certificates of workloads"),
  PILOT_CERT_PROVIDER: honoured(
    "string",
    "istiod",
    istiod,
    "who makes this program's own certificate: istiod (this program), custom (files) or none",
  ),
  EXTERNAL_CA: honoured(
    "string",
    "",
    istiod,
    "another authority that signs; refused, since there is none here",
  ),
  K8S_SIGNER: accepted("string", "", istiod, "signer of Kubernetes' that signs"),
  CERT_SIGNER_DOMAIN: accepted("string", "", istiod, "domain of signers that callers may name"),
  ROOT_CA_DIR: honoured("string", "./etc/cacerts", istiod, "directory of the root that is given"),
  USE_REMOTE_CERTS: accepted("bool", "false", istiod, "read a remote cluster's root from its Secret"),
  USE_CACERTS_FOR_SELF_SIGNED_CA: accepted(
    "bool",
    "false",
    istiod,
    "keep the self-made root in the Secret cacerts",
  ),
  DEFAULT_WORKLOAD_CERT_TTL: honoured("duration", "24h", istiod, "life of a certificate that asks for none"),
  MAX_WORKLOAD_CERT_TTL: honoured("duration", "2160h", istiod, "longest life of a certificate"),
  CITADEL_SELF_SIGNED_CA_CERT_TTL: honoured("duration", "87600h", istiod, "life of the self-made root"),
  CITADEL_SELF_SIGNED_CA_RSA_KEY_SIZE: honoured("int", "2048", istiod, "bits of the self-made root's key"),
  CITADEL_SELF_SIGNED_ROOT_CERT_CHECK_INTERVAL: honoured(
    "duration",
    "1h",
    istiod,
    "interval at which the self-made root is looked at",
  ),
  CITADEL_SELF_SIGNED_ROOT_CERT_GRACE_PERIOD_PERCENTILE: honoured(
    "int",
    "20",
    istiod,
    "last part of the self-made root's life in which it is renewed, in percent",
  ),
  CITADEL_ENABLE_JITTER_FOR_ROOT_CERT_ROTATOR: honoured(
    "bool",
    "true",
    istiod,
    "spread the looks at the self-made root in time",
  ),
  PILOT_CA_CERT_CONFIGMAP: honoured("string", "istio-ca-root-cert", istiod, "ConfigMap with the root"),
  PILOT_CRL_CONFIGMAP: accepted("string", "istio-ca-crl", istiod, "ConfigMap with revoked certificates"),
  PILOT_ENABLE_CA_CRL: accepted("bool", "true", istiod, "publish revoked certificates"),
  ISTIO_MULTIROOT_MESH: honoured("bool", "false", istiod, "a changed root is taken"),
  CA_TRUSTED_NODE_ACCOUNTS: honoured(
    "list",
    "",
    istiod,
    "service accounts, as namespace/name, that act for a whole node",
  ),
  ISTIOD_CUSTOM_HOST: honoured("list", "", istiod, "more names of this program's own certificate"),
};

/** Who may call. */
export const authenticationEnvironment = {
  XDS_AUTH: honoured("bool", "true", istiod, "callers over TLS must say who they are"),
  PILOT_ENABLE_XDS_IDENTITY_CHECK: honoured("bool", "true", istiod, "a proxy must be who it claims to be"),
  TOKEN_AUDIENCES: honoured("list", "istio-ca", istiod, "audiences that a token may be for"),
  JWT_RULE: honoured("string", "", istiod, "issuer and keys of tokens, as JSON"),
  TRUSTED_GATEWAY_CIDR: honoured("list", "", istiod, "gateways whose x-forwarded-client-cert is believed"),
  PILOT_SKIP_VALIDATE_TRUST_DOMAIN: accepted(
    "bool",
    "false",
    istiod,
    "callers of other trust domains may call",
  ),
  ENABLE_XDS_API_GENERATOR_AUTH: accepted(
    "bool",
    "true",
    istiod,
    "configuration over xDS is for the root namespace",
  ),
  EXTERNAL_ISTIOD: accepted("bool", "false", istiod, "this control plane serves other clusters"),
};
