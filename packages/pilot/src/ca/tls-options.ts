/** What a TLS server speaks. */
export interface TlsOptions {
  readonly minVersion: "TLSv1.2" | "TLSv1.3";
  /** As Node takes them; left out: Node's choice. */
  readonly ciphers?: string;
  /** Time for a handshake, in ms; default 10,000 (Node's is 2 minutes, for which idle peers could hold many sockets). */
  readonly handshakeMs?: number;
}

/** Suites that Go calls safe → OpenSSL's names. Node takes IANA's names for suites of TLS 1.3 only. */
const ciphers: Readonly<Record<string, string>> = {
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

/** Node does not speak TLS 1.3 at all if a list has none of its suites, which cannot be chosen in Go. */
const ciphers13 = ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"];

/**
 * @param suites IANA's names, for TLS 1.2 (--tls-cipher-suites); empty: Node's choice. Our own certificate needs one of ECDSA
 * @param minVersion "1.2" or "1.3", or as Kubernetes writes it; "" is 1.2 (--tls-min-version)
 * @throws Error naming what is not known
 */
export function tlsOptions(suites: readonly string[], minVersion: string): TlsOptions {
  const unknown = suites.filter((suite) => ciphers[suite] === undefined);
  if (unknown.length > 0) {
    throw new Error(
      `cipher suites are not known: ${unknown.join(", ")}; known are ${Object.keys(ciphers).join(", ")}`,
    );
  }
  const names = suites.map((suite) => ciphers[suite]);
  return {
    minVersion: versionOf(minVersion),
    ...(names.length === 0 ? {} : { ciphers: [...names, ...ciphers13].join(":") }),
  };
}

function versionOf(text: string): TlsOptions["minVersion"] {
  if (["", "1.2", "TLSv1_2", "VersionTLS12"].includes(text)) return "TLSv1.2";
  if (["1.3", "TLSv1_3", "VersionTLS13"].includes(text)) return "TLSv1.3";
  throw new Error(`TLS version "${text}" is not known; use 1.2 or 1.3`);
}
