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
    return { identity: identityOfUri(uriNames(certificate), this.trustDomain), source: this.name };
  }
}

function uriNames(der: Buffer): string[] {
  const names = new X509Certificate(der).getExtension(SubjectAlternativeNameExtension)?.names.items ?? [];
  return names.filter(({ type }) => type === "url").map(({ value }) => value);
}

/** @throws Error unless the URI names of a certificate are one workload's of the trust domain */
export function identityOfUri(uris: readonly string[], trustDomain: string): Identity {
  const [uri = ""] = uris;
  if (uris.length !== 1) throw new Error(`it has ${uris.length} URI names; a workload's has one`);
  const identity = parseIdentity(uri);
  if (identity === undefined) {
    throw new Error(`its name ${JSON.stringify(uri.slice(0, 300))} is not spiffe://DOMAIN/ns/NS/sa/ACCOUNT`);
  }
  if (identity.trustDomain !== trustDomain) {
    throw new Error(`its trust domain is ${identity.trustDomain}; this mesh's is ${trustDomain}`);
  }
  return identity;
}
