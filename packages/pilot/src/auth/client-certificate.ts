import { SubjectAlternativeNameExtension, X509Certificate } from "../ca/x509.ts";
import type { Authenticator, Caller, Presented } from "./authenticator.ts";
import { type Identity, parseIdentity } from "./identity.ts";

/** Knows workloads by the certificate that our CA gave them; TLS has verified its chain before. */
export class ClientCertificateAuthenticator implements Authenticator {
  readonly name = "client certificate";
  private readonly trustDomain: string;

  constructor(trustDomain: string) {
    this.trustDomain = trustDomain;
  }

  async authenticate({ certificate }: Presented): Promise<Caller | undefined> {
    if (certificate === undefined) return undefined;
    return { identity: this.identityOf(certificate), source: this.name };
  }

  private identityOf(der: Buffer): Identity {
    const [uri, ...others] = uriNames(der);
    if (uri === undefined || others.length > 0) {
      throw new Error(
        `it has ${others.length + (uri === undefined ? 0 : 1)} URI names; a workload's has one`,
      );
    }
    const identity = parseIdentity(uri);
    if (identity === undefined) {
      throw new Error(
        `its name ${JSON.stringify(uri.slice(0, 300))} is not spiffe://DOMAIN/ns/NS/sa/ACCOUNT`,
      );
    }
    if (identity.trustDomain !== this.trustDomain) {
      throw new Error(`its trust domain is ${identity.trustDomain}; this mesh's is ${this.trustDomain}`);
    }
    return identity;
  }
}

function uriNames(der: Buffer): string[] {
  const names = new X509Certificate(der).getExtension(SubjectAlternativeNameExtension)?.names.items ?? [];
  return names.filter(({ type }) => type === "url").map(({ value }) => value);
}
