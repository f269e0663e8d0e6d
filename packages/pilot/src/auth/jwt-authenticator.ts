import { errors, type JWTPayload, type JWTVerifyGetKey, type JWTVerifyOptions, jwtVerify } from "jose";
import { z } from "zod";
import type { Authenticator, Caller, Presented } from "./authenticator.ts";
import { parseServiceAccountUser } from "./identity.ts";
import { jwtKeys } from "./jwt-keys.ts";
import type { JwtRule } from "./jwt-rule.ts";

/** Only signatures that the issuer alone can make. */
const algorithms = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
  "Ed25519",
];

/** What Kubernetes puts into a token that is bound to a pod (`node` since 1.29) or to a node. */
const kubernetesClaim = z.object({
  namespace: z.string().optional(),
  serviceaccount: z.object({ name: z.string() }).optional(),
  node: z.object({ name: z.string().min(1).max(253) }).optional(),
});

/** Knows workloads by tokens of their service account, which the keys of one issuer have signed. */
export class JwtAuthenticator implements Authenticator {
  readonly name = "JWT";
  private readonly trustDomain: string;
  private readonly keys: JWTVerifyGetKey;
  private readonly options: JWTVerifyOptions;

  /** @throws Error, if the rule's own keys are not right */
  constructor(rule: JwtRule, trustDomain: string) {
    this.trustDomain = trustDomain;
    this.keys = jwtKeys(rule);
    this.options = {
      issuer: rule.issuer,
      audience: [...rule.audiences],
      algorithms,
      requiredClaims: ["exp", "sub"],
    };
  }

  async authenticate({ token }: Presented): Promise<Caller | undefined> {
    if (token === undefined) return undefined;
    return this.callerOf(await this.verify(token));
  }

  private async verify(token: string): Promise<JWTPayload> {
    try {
      return (await jwtVerify(token, this.keys, this.options)).payload;
    } catch (error) {
      if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error;
      return this.verifyByAnyOf(token, error);
    }
  }

  /** A token that names no key may be signed by any of them. */
  private async verifyByAnyOf(token: string, keys: errors.JWKSMultipleMatchingKeys): Promise<JWTPayload> {
    for await (const key of keys) {
      try {
        return (await jwtVerify(token, key, this.options)).payload;
      } catch (error) {
        if (!(error instanceof errors.JWSSignatureVerificationFailed)) throw error;
      }
    }
    throw new errors.JWSSignatureVerificationFailed();
  }

  private callerOf(payload: JWTPayload): Caller {
    const account = parseServiceAccountUser(payload.sub ?? "");
    if (account === undefined) {
      throw new Error(`"sub" is ${quote(payload.sub)}; expected system:serviceaccount:NAMESPACE:NAME`);
    }
    const bound = boundTo(payload["kubernetes.io"]);
    const { namespace = account.namespace, serviceaccount } = bound;
    if (
      namespace !== account.namespace ||
      (serviceaccount?.name ?? account.serviceAccount) !== account.serviceAccount
    ) {
      throw new Error(`"sub" is ${quote(payload.sub)}, and "kubernetes.io" names another service account`);
    }
    return {
      identity: { trustDomain: this.trustDomain, ...account },
      source: this.name,
      ...(bound.node === undefined ? {} : { node: bound.node.name }),
    };
  }
}

function boundTo(claim: unknown): z.infer<typeof kubernetesClaim> {
  if (claim === undefined) return {};
  const { data, error } = kubernetesClaim.safeParse(claim);
  if (error !== undefined) throw new Error(`"kubernetes.io" is not as Kubernetes writes it`);
  return data;
}

const quote = (text: unknown): string => JSON.stringify(String(text).slice(0, 300));
