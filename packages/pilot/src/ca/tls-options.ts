/** What a TLS server speaks. */
export interface TlsOptions {
  readonly minVersion: "TLSv1.2" | "TLSv1.3";
  /**
   * IANA's names; empty: Node's choice. They count for TLS 1.2, those of 1.3 are fixed. Our own certificate needs one
   * of ECDSA.
   */
  readonly cipherSuites: readonly string[];
  /** Time for a handshake, in ms; default 10,000 (Node's is 2 minutes, for which idle peers could hold many sockets). */
  readonly handshakeMs?: number;
}

/** Those that Go calls safe → OpenSSL's names. Node takes IANA's for suites of TLS 1.3. */
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

/** Node does not speak TLS 1.3 at all if a list has none of its suites. */
const ciphers13 = ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"];

/** @returns the suites as Node takes them, "" if none is named @throws Error naming those that are not known */
export function cipherList(suites: readonly string[]): string {
  const unknown = suites.filter((suite) => ciphers[suite] === undefined);
  if (suites.length === 0) return "";
  if (unknown.length === 0) return [...suites.map((suite) => ciphers[suite]), ...ciphers13].join(":");
  throw new Error(
    `cipher suites are not known: ${unknown.join(", ")}; known are ${Object.keys(ciphers).join(", ")}`,
  );
}
