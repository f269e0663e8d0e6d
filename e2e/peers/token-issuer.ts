import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";

export interface TokenOptions {
  readonly namespace?: string;
  readonly serviceAccount?: string;
  /** The Kubernetes node that the token is bound to. */
  readonly node?: string;
  readonly audience?: string;
  /** Seconds from now; 3,600 if left out, and less than 0 for one that has ended. */
  readonly expiresIn?: number;
}

/** Signs tokens of service accounts as an API server does, with a key of its own. */
export class TokenIssuer {
  readonly issuer = "https://kubernetes.test";
  private readonly privateKey: KeyObject;
  private readonly publicKey: KeyObject;

  constructor() {
    const keys = generateKeyPairSync("ec", { namedCurve: "P-256" });
    this.privateKey = keys.privateKey;
    this.publicKey = keys.publicKey;
  }

  /** For JWT_RULE: tokens of this issuer for the audience istio-ca are accepted. */
  rule(): string {
    const key = { ...this.publicKey.export({ format: "jwk" }), kid: "1", alg: "ES256", use: "sig" };
    const jwks = JSON.stringify({ keys: [key] });
    return JSON.stringify({ issuer: this.issuer, jwks, audiences: ["istio-ca"] });
  }

  token(options: TokenOptions = {}): string {
    const signed = `${encode({ alg: "ES256", kid: "1" })}.${encode(this.claims(options))}`;
    const key = { key: this.privateKey, dsaEncoding: "ieee-p1363" } as const;
    return `${signed}.${sign("sha256", Buffer.from(signed), key).toString("base64url")}`;
  }

  /** With the header {"alg":"none"} and no signature: nobody vouches for it. */
  unsigned(options: TokenOptions = {}): string {
    return `${encode({ alg: "none", kid: "1" })}.${encode(this.claims(options))}.`;
  }

  private claims({
    namespace = "default",
    serviceAccount = "default",
    node,
    audience = "istio-ca",
    expiresIn = 3_600,
  }: TokenOptions): object {
    const now = Math.floor(Date.now() / 1000);
    const bound = node === undefined ? {} : { node: { name: node } };
    return {
      iss: this.issuer,
      aud: [audience],
      sub: `system:serviceaccount:${namespace}:${serviceAccount}`,
      iat: now - 3_600,
      exp: now + expiresIn,
      "kubernetes.io": { namespace, serviceaccount: { name: serviceAccount }, ...bound },
    };
  }
}

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
