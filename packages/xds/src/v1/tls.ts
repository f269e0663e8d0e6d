import type { Age } from "./age.ts";

/** Where the CA's agent puts a workload's certificate. */
const own = {
  cert_chain_file: "/etc/certs/cert-chain.pem",
  private_key_file: "/etc/certs/key.pem",
  ca_cert_file: "/etc/certs/root-cert.pem",
} as const;

/** @param identities SPIFFE ids that endpoints may show; none: any that the root vouches for */
export const clusterTls = (identities: readonly string[]) => ({
  ...own,
  verify_subject_alt_name: identities,
});

export const listenerTls = { ...own, require_client_certificate: true } as const;

/** Where the ingress' TLS secret is mounted; since 0.7 callers may choose HTTP/2. */
export const ingressTls = (age: Age) => ({
  cert_chain_file: "/etc/istio/ingress-certs/tls.crt",
  private_key_file: "/etc/istio/ingress-certs/tls.key",
  require_client_certificate: false,
  ...(age === "0.7" && { alpn_protocols: "h2,http/1.1" }),
});
