import { createPrivateKey, type KeyObject, webcrypto, X509Certificate } from "node:crypto";
import { parsePem, toPem } from "./pem.ts";
import { KeyUsageFlags, KeyUsagesExtension, X509Certificate as ParsedCertificate } from "./x509.ts";

/** What signs certificates, and what vouches for it. Never changes: another one takes its place as a whole. */
export interface Signer {
  readonly certificate: ParsedCertificate;
  readonly key: webcrypto.CryptoKey;
  readonly hash: "SHA-256" | "SHA-384" | "SHA-512";
  /** PEM of the certificates between a signed one and the root, the signer's own first; none if it is the root. */
  readonly chain: readonly string[];
  /** PEM of all roots, as it was given. */
  readonly roots: string;
}

/** PEM texts, and what to call them in errors: the names of files, say. */
export interface SignerSource {
  readonly certificate: Named;
  readonly key: Named;
  readonly chain: readonly Named[];
  readonly roots: Named;
}

export interface Named {
  readonly name: string;
  readonly pem: string;
}

/** @throws Error naming the part that is wrong: damaged, no authority, expired, not fitting the others. */
export async function parseSigner(source: SignerSource): Promise<Signer> {
  const { certificate, key, chain, roots } = source;
  const [signing] = certificates(certificate);
  if (signing === undefined) throw new Error(`${certificate.name} has no certificate`);
  const chained = chain.flatMap(certificates);
  const trusted = certificates(roots);
  if (trusted.length === 0) throw new Error(`${roots.name} has no certificate`);
  checkAuthority(signing, certificate.name);
  const privateKey = parseKey(key);
  if (!signing.checkPrivateKey(privateKey)) {
    throw new Error(`${key.name} is not the key of the certificate in ${certificate.name}`);
  }
  checkPath(signing, chained, trusted, { certificate: certificate.name, roots: roots.name });
  return {
    certificate: new ParsedCertificate(signing.raw),
    ...importKey(privateKey, key.name),
    chain: chained.map(({ raw }) => toPem("CERTIFICATE", raw)),
    roots: roots.pem,
  };
}

/** All certificates of a PEM text. @throws Error naming it */
export function certificates({ name, pem }: Named): X509Certificate[] {
  try {
    const blocks = parsePem(pem).filter(({ label }) => label === "CERTIFICATE");
    return blocks.map(({ der }) => new X509Certificate(der));
  } catch (error) {
    throw new Error(`${name}: ${(error as Error).message}`, { cause: error });
  }
}

function parseKey({ name, pem }: Named): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    throw new Error(`${name} has no private key in PEM that is not encrypted`);
  }
}

function checkAuthority(certificate: X509Certificate, name: string): void {
  const usages = new ParsedCertificate(certificate.raw).getExtension(KeyUsagesExtension)?.usages;
  if (!certificate.ca || (usages !== undefined && (usages & KeyUsageFlags.keyCertSign) === 0)) {
    throw new Error(`the certificate in ${name} may not sign others: it is not an authority's`);
  }
}

function checkPath(
  from: X509Certificate,
  chain: readonly X509Certificate[],
  roots: readonly X509Certificate[],
  names: { readonly certificate: string; readonly roots: string },
): void {
  const now = new Date();
  if (from.validFromDate > now || from.validToDate <= now) {
    const dates = `${from.validFromDate.toISOString()} to ${from.validToDate.toISOString()}`;
    throw new Error(`the certificate in ${names.certificate} is valid from ${dates}, not now`);
  }
  if (!leadsToRoot(from, { chain, roots, now, seen: new Set() })) {
    throw new Error(
      `no valid path leads from the certificate in ${names.certificate} to one in ${names.roots}`,
    );
  }
}

interface Search {
  readonly chain: readonly X509Certificate[];
  readonly roots: readonly X509Certificate[];
  readonly now: Date;
  readonly seen: Set<string>;
}

function leadsToRoot(certificate: X509Certificate, search: Search): boolean {
  const { chain, roots, now, seen } = search;
  const { fingerprint256 } = certificate;
  if (seen.has(fingerprint256)) return false;
  seen.add(fingerprint256);
  const issued = (issuer: X509Certificate): boolean =>
    issuer.ca &&
    issuer.validFromDate <= now &&
    issuer.validToDate > now &&
    certificate.checkIssued(issuer) &&
    certificate.verify(issuer.publicKey);
  if (roots.some((root) => root.fingerprint256 === fingerprint256 || issued(root))) return true;
  return chain.some((issuer) => issued(issuer) && leadsToRoot(issuer, search));
}

function importKey(key: KeyObject, name: string): Pick<Signer, "key" | "hash"> {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  if (type === "rsa") {
    const algorithm = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
    return { key: key.toCryptoKey(algorithm, false, ["sign"]), hash: "SHA-256" };
  }
  const curve = type === "ec" ? curves[details?.namedCurve ?? ""] : undefined;
  if (curve === undefined) {
    throw new Error(
      `${name} is a key for ${details?.namedCurve ?? type}; expected RSA, P-256, P-384 or P-521`,
    );
  }
  const algorithm = { name: "ECDSA", namedCurve: curve.name };
  return { key: key.toCryptoKey(algorithm, false, ["sign"]), hash: curve.hash };
}

/** OpenSSL's name → the Web's, and the hash of the same strength. */
const curves: Readonly<Record<string, { readonly name: string; readonly hash: Signer["hash"] }>> = {
  prime256v1: { name: "P-256", hash: "SHA-256" },
  secp384r1: { name: "P-384", hash: "SHA-384" },
  secp521r1: { name: "P-521", hash: "SHA-512" },
};
