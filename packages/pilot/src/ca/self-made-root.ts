import {
  createPrivateKey,
  createPublicKey,
  generateKeyPair,
  type webcrypto,
  X509Certificate,
} from "node:crypto";
import { promisify } from "node:util";
import type { RootStore, StoredRoot } from "./root-store.ts";
import { signRoot } from "./sign.ts";
import { parseSigner, type Signer } from "./signer.ts";
import { X509Certificate as ParsedCertificate } from "./x509.ts";

export interface SelfMadeRootOptions {
  readonly store: RootStore;
  /** The root's organization. */
  readonly trustDomain: string;
  /** Of the root, in ms; Pilot's CITADEL_SELF_SIGNED_CA_CERT_TTL, 10 years. */
  readonly lifetimeMs: number;
  /** Pilot's CITADEL_SELF_SIGNED_CA_RSA_KEY_SIZE, 2048. */
  readonly rsaBits: number;
  /** The root is renewed in the last part of its lifetime, in percent; CITADEL_SELF_SIGNED_ROOT_CERT_GRACE_PERIOD_PERCENTILE, 20. */
  readonly gracePercent: number;
}

/** The part of a root's options that Pilot has. */
export const defaultRootOptions = {
  lifetimeMs: 87_600 * 3_600_000,
  rsaBits: 2048,
  gracePercent: 20,
} as const;

const algorithm = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };

/** The root that the control plane makes for itself when it is given none. */
export class SelfMadeRoot {
  private readonly options: SelfMadeRootOptions;

  constructor(options: SelfMadeRootOptions) {
    this.options = options;
  }

  /**
   * The root as it should be now: the kept one, or a new one if there is none, or if it is about to end one with the
   * same name and key, which vouches for all that was signed before.
   * @throws Error if the kept one cannot be used
   */
  async current(): Promise<Signer> {
    const { store } = this.options;
    return this.renewed((await store.load()) ?? (await store.create(await this.make())));
  }

  /** As `current`, but for one that has been in use: none takes its place if it is gone. @throws Error if it is */
  async following(): Promise<Signer> {
    const { store } = this.options;
    const kept = await store.load();
    if (kept !== undefined) return this.renewed(kept);
    throw new Error(
      `${store.place} is gone; the certificate authority goes on with the root that it has, and makes another one when it is started again`,
    );
  }

  private async renewed(kept: StoredRoot): Promise<Signer> {
    const { store } = this.options;
    const current = this.isEnding(kept) ? await store.replace(kept, await this.renew(kept)) : kept;
    return this.signerOf(current);
  }

  private signerOf(root: StoredRoot): Promise<Signer> {
    const named = (key: keyof StoredRoot): { name: string; pem: string } => ({
      name: `${this.options.store.place} (${key})`,
      pem: root[key],
    });
    const certificate = named("ca-cert.pem");
    return parseSigner({ certificate, key: named("ca-key.pem"), chain: [], roots: certificate });
  }

  private isEnding(root: StoredRoot): boolean {
    const certificate = this.certificateOf(root);
    const end = certificate.validToDate.getTime();
    const lifetime = end - certificate.validFromDate.getTime();
    return Date.now() >= end - (lifetime * this.options.gracePercent) / 100;
  }

  private certificateOf(root: StoredRoot): X509Certificate {
    try {
      return new X509Certificate(root["ca-cert.pem"]);
    } catch (error) {
      throw new Error(`${this.options.store.place}: ca-cert.pem is not a certificate`, { cause: error });
    }
  }

  private async make(): Promise<StoredRoot> {
    const { rsaBits, trustDomain } = this.options;
    const { privateKey } = await promisify(generateKeyPair)("rsa", { modulusLength: rsaBits });
    const key = privateKey.export({ type: "pkcs1", format: "pem" }) as string;
    return this.sign(key, trustDomain);
  }

  private async renew(root: StoredRoot): Promise<StoredRoot> {
    const [organization] = new ParsedCertificate(root["ca-cert.pem"]).subjectName.getField("O");
    return this.sign(root["ca-key.pem"], organization ?? this.options.trustDomain);
  }

  private async sign(keyPem: string, organization: string): Promise<StoredRoot> {
    const now = new Date();
    const certificate = await signRoot({
      keys: keyPair(keyPem),
      organization,
      now,
      notAfter: new Date(now.getTime() + this.options.lifetimeMs),
    });
    return { "ca-cert.pem": certificate, "ca-key.pem": keyPem };
  }
}

function keyPair(pem: string): webcrypto.CryptoKeyPair {
  const key = createPrivateKey(pem);
  return {
    privateKey: key.toCryptoKey(algorithm, false, ["sign"]),
    publicKey: createPublicKey(pem).toCryptoKey(algorithm, true, ["verify"]),
  };
}
