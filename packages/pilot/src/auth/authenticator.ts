import type { Identity } from "./identity.ts";

/** What a peer shows to say who it is. */
export interface Presented {
  /** DER of the client certificate, whose chain TLS has verified. */
  readonly certificate?: Buffer;
  /** Of an `authorization: Bearer …` header. */
  readonly token?: string;
  /** What a gateway before us says of the certificate of its client. */
  readonly forwarded?: {
    /** Of the gateway. */
    readonly address: string;
    /** The header x-forwarded-client-cert. */
    readonly header: string;
  };
}

/** A peer whose word was checked. */
export interface Caller {
  readonly identity: Identity;
  /** Which authenticator vouches for it. */
  readonly source: string;
  /** The Kubernetes node that the token was issued for, if it was issued for one. */
  readonly node?: string;
}

/** One way to tell who a caller is. */
export interface Authenticator {
  /** In errors and logs: "client certificate", "JWT", … */
  readonly name: string;
  /**
   * @returns undefined if nothing was presented that this authenticator looks at.
   * @throws Error saying why what was presented is not good; never with a token or a key in it.
   */
  authenticate(presented: Presented): Promise<Caller | undefined>;
}

/** Nobody vouches for the caller: gRPC status UNAUTHENTICATED. */
export class AuthenticationError extends Error {
  override readonly name = "AuthenticationError";
}

/**
 * Asks one after the other; the first that knows the caller decides.
 * @throws AuthenticationError with every authenticator's reason
 */
export async function authenticate(
  presented: Presented,
  authenticators: readonly Authenticator[],
): Promise<Caller> {
  const reasons: string[] = [];
  for (const authenticator of authenticators) {
    try {
      const caller = await authenticator.authenticate(presented);
      if (caller !== undefined) return caller;
    } catch (error) {
      reasons.push(`${authenticator.name}: ${(error as Error).message}`);
    }
  }
  throw new AuthenticationError(reasons.length > 0 ? reasons.join("; ") : nothingFor(presented));
}

function nothingFor({ certificate, token }: Presented): string {
  if (certificate !== undefined) return "the client certificate is of no use here";
  if (token !== undefined) return "tokens are not accepted: no issuer is configured";
  return "neither a client certificate nor a bearer token was presented";
}
