/** What a TLS server speaks. */
export interface TlsOptions {
  /** Pilot's --tls-min-version. */
  readonly minVersion: "TLSv1.2" | "TLSv1.3";
  /** OpenSSL's names, with ":" between them; undefined: Node's default. They count for TLS 1.2; those of 1.3 are fixed. */
  readonly ciphers?: string;
}

/** Names of --tls-cipher-suites (Go's, those that it calls safe) → OpenSSL's. */
const cipherSuites: Readonly<Record<string, string>> = {
  TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA: "ECDHE-ECDSA-AES128-SHA",
  TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA: "ECDHE-ECDSA-AES256-SHA",
  TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA: "ECDHE-RSA-AES128-SHA",
  TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA: "ECDHE-RSA-AES256-SHA",
  TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256: "ECDHE-ECDSA-AES128-GCM-SHA256",
  TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384: "ECDHE-ECDSA-AES256-GCM-SHA384",
  TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256: "ECDHE-RSA-AES128-GCM-SHA256",
  TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384: "ECDHE-RSA-AES256-GCM-SHA384",
  TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256: "ECDHE-ECDSA-CHACHA20-POLY1305",
  TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256: "ECDHE-RSA-CHACHA20-POLY1305",
};

/**
 * @param suites of --tls-cipher-suites; empty: Node's default
 * @param minVersion of --tls-min-version: "1.2" or "1.3", or as Kubernetes writes it
 * @throws Error naming what is not known
 */
export function tlsOptions(suites: readonly string[], minVersion: string): TlsOptions {
  const ciphers = suites.map((suite) => {
    const cipher = cipherSuites[suite];
    if (cipher !== undefined) return cipher;
    throw new Error(
      `cipher suite "${suite}" is not known; known are ${Object.keys(cipherSuites).join(", ")}`,
    );
  });
  return {
    minVersion: versionOf(minVersion),
    ...(ciphers.length === 0 ? {} : { ciphers: ciphers.join(":") }),
  };
}

function versionOf(text: string): TlsOptions["minVersion"] {
  if (["", "1.2", "TLSv1_2", "VersionTLS12"].includes(text)) return "TLSv1.2";
  if (["1.3", "TLSv1_3", "VersionTLS13"].includes(text)) return "TLSv1.3";
  throw new Error(`TLS version "${text}" is not known; use 1.2 or 1.3`);
}
