import { type webcrypto } from "node:crypto";
import { CaError } from "./ca-error.ts";
import { parseCsr } from "./csr.ts";
import { signLeaf } from "./sign.ts";
import type { Signer } from "./signer.ts";
import { type JsonGeneralName, PublicKey } from "./x509.ts";

export interface CertificateLifetimes {
  /** Of a certificate for which none was asked for, in ms; Pilot's DEFAULT_WORKLOAD_CERT_TTL, 24 h. */
  readonly defaultMs: number;
  /** Longest that may be asked for, in ms; Pilot's MAX_WORKLOAD_CERT_TTL, 90 days. */
  readonly maximumMs: number;
}

export const defaultLifetimes: CertificateLifetimes = {
  defaultMs: 24 * 3_600_000,
  maximumMs: 90 * 24 * 3_600_000,
};

/** Of X.520: longest common name. */
const commonNameLength = 64;

/** Signs certificates for names that its caller has checked. */
export class CertificateAuthority {
  private readonly lifetimes: CertificateLifetimes;
  private readonly listeners: (() => void)[] = [];
  private current: Signer;

  constructor(signer: Signer, lifetimes: CertificateLifetimes = defaultLifetimes) {
    this.current = signer;
    this.lifetimes = lifetimes;
  }

  get signer(): Signer {
    return this.current;
  }

  /** From now on `signer` signs. */
  replace(signer: Signer): void {
    this.current = signer;
    for (const listener of this.listeners) listener();
  }

  /** @param listener called when another signer has taken over */
  onReplace(listener: () => void): void {
    this.listeners.push(listener);
  }

  /**
   * @param spiffeId of the caller; the request's names don't count
   * @param lifetimeMs 0 or less: the default. Cut off at the signer's end
   * @returns PEM: the certificate, then each one between it and the root, then all roots in one element
   * @throws CaError
   */
  async sign(csr: string, spiffeId: string, lifetimeMs: number): Promise<string[]> {
    const { maximumMs, defaultMs } = this.lifetimes;
    const { publicKey, hasCommonName } = await parseCsr(csr);
    if (!(lifetimeMs <= maximumMs)) {
      const asked = `a certificate for ${lifetimeMs / 1000} s was asked for`;
      throw new CaError("TTL_ERROR", `${asked}; at most ${maximumMs / 1000} s are given`);
    }
    return this.issue({
      publicKey,
      names: [{ type: "url", value: spiffeId }],
      commonName: hasCommonName && spiffeId.length <= commonNameLength ? spiffeId : "",
      lifetimeMs: lifetimeMs > 0 ? lifetimeMs : defaultMs,
    });
  }

  /** A certificate for our own servers. @returns as `sign` does @throws CaError */
  async signServer(
    key: webcrypto.CryptoKey,
    hosts: readonly string[],
    lifetimeMs: number,
  ): Promise<string[]> {
    return this.issue({
      publicKey: await PublicKey.create(key),
      names: hosts.map((value) => ({ type: "dns", value })),
      commonName: "",
      lifetimeMs,
    });
  }

  private async issue(options: {
    readonly publicKey: PublicKey;
    readonly names: readonly JsonGeneralName[];
    readonly commonName: string;
    readonly lifetimeMs: number;
  }): Promise<string[]> {
    const signer = this.current;
    const { notAfter: signerEnd } = signer.certificate;
    const now = new Date();
    if (signerEnd <= now) {
      throw new CaError("CERT_GEN_ERROR", `the signing certificate ended at ${signerEnd.toISOString()}`);
    }
    const notAfter = new Date(Math.min(now.getTime() + options.lifetimeMs, signerEnd.getTime()));
    const leaf = await signLeaf(signer, { ...options, now, notAfter }).catch((error: Error) => {
      throw new CaError("CERT_GEN_ERROR", `cannot sign: ${error.message}`, { cause: error });
    });
    return [leaf, ...signer.chain, signer.roots];
  }
}
