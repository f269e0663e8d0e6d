import type { webcrypto } from "node:crypto";
import { exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from "jose";
import type { JwtRule } from "../auth/jwt-rule.ts";

export interface TokenOptions {
  readonly namespace?: string;
  readonly serviceAccount?: string;
  /** The Kubernetes node that the token is bound to. */
  readonly node?: string;
  readonly issuer?: string;
  readonly audience?: string | string[];
  /** In seconds from now; undefined leaves the claim out. */
  readonly expiresIn?: number | undefined;
  readonly keyId?: string;
  /** More claims, or other ones in the place of those that are made. */
  readonly claims?: JWTPayload;
}

/** Issues service account tokens as a Kubernetes API server does. */
export class TestIssuer {
  readonly issuer = "https://issuer.test";
  readonly audience = "istio-ca";
  readonly keyId: string;
  private readonly privateKey: webcrypto.CryptoKey;
  private readonly publicJwk: JWK;

  private constructor(keyId: string, privateKey: webcrypto.CryptoKey, publicJwk: JWK) {
    this.keyId = keyId;
    this.privateKey = privateKey;
    this.publicJwk = publicJwk;
  }

  static async create(keyId = "key-1"): Promise<TestIssuer> {
    const { publicKey, privateKey } = await generateKeyPair("ES256");
    return new TestIssuer(keyId, privateKey, await exportJWK(publicKey));
  }

  /** A JSON Web Key Set with its key, and those of others. */
  jwks(...others: readonly TestIssuer[]): string {
    const keys = [this, ...others].map(({ publicJwk, keyId }) => ({
      ...publicJwk,
      kid: keyId,
      alg: "ES256",
    }));
    return JSON.stringify({ keys });
  }

  rule(): JwtRule {
    return { issuer: this.issuer, audiences: [this.audience], jwks: this.jwks() };
  }

  async token(options: TokenOptions = {}): Promise<string> {
    const { namespace = "default", serviceAccount = "reviews", node, keyId = this.keyId } = options;
    const now = Math.floor(Date.now() / 1000);
    const expiresIn = "expiresIn" in options ? options.expiresIn : 600;
    return new SignJWT({
      iss: options.issuer ?? this.issuer,
      aud: options.audience ?? [this.audience],
      sub: `system:serviceaccount:${namespace}:${serviceAccount}`,
      iat: now - 60,
      ...(expiresIn === undefined ? {} : { exp: now + expiresIn }),
      "kubernetes.io": {
        namespace,
        serviceaccount: { name: serviceAccount, uid: "7c1d2f5e-0000-4000-8000-000000000000" },
        ...(node === undefined ? {} : { node: { name: node } }),
      },
      ...options.claims,
    })
      .setProtectedHeader({ alg: "ES256", ...(keyId === "" ? {} : { kid: keyId }) })
      .sign(this.privateKey);
  }
}
