import { KeyObject, webcrypto } from "node:crypto";
import { toPem } from "../ca/pem.ts";
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  type JsonGeneralName,
  type JsonName,
  type JsonNameParams,
  KeyUsageFlags,
  KeyUsagesExtension,
  Name,
  Pkcs10CertificateRequestGenerator,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from "../ca/x509.ts";

/** Of ECDSA P-256, which is made fast. */
const ecdsa = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const dayMs = 24 * 3_600_000;

export interface TestCertificate {
  /** PEM. */
  readonly certificate: string;
  /** PEM. */
  readonly key: string;
  readonly keys: webcrypto.CryptoKeyPair;
}

export interface TestCertificateOptions {
  readonly subject?: JsonNameParams;
  readonly names?: readonly JsonGeneralName[];
  readonly ca?: boolean;
  readonly usages?: KeyUsageFlags;
  /** Who signs; left out: itself. */
  readonly issuer?: TestCertificate;
  /** Relative to now, in ms. */
  readonly from?: number;
  readonly to?: number;
  readonly keys?: webcrypto.CryptoKeyPair;
}

export const makeKeys = async (
  algorithm: webcrypto.EcKeyGenParams | webcrypto.RsaHashedKeyGenParams = ecdsa,
): Promise<webcrypto.CryptoKeyPair> => webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);

/** A certificate made to order, good or bad. */
export async function makeCertificate(options: TestCertificateOptions = {}): Promise<TestCertificate> {
  const { subject = [], names = [], ca = false, issuer, from = -dayMs, to = dayMs } = options;
  const keys = options.keys ?? (await makeKeys());
  const name = new Name(subject);
  const usages = options.usages ?? (ca ? KeyUsageFlags.keyCertSign : KeyUsageFlags.digitalSignature);
  const certificate = await X509CertificateGenerator.create({
    subject: name,
    issuer: issuer === undefined ? name : new X509Certificate(issuer.certificate).subjectName,
    notBefore: new Date(Date.now() + from),
    notAfter: new Date(Date.now() + to),
    publicKey: keys.publicKey,
    signingKey: (issuer?.keys ?? keys).privateKey,
    signingAlgorithm: ecdsa,
    extensions: [
      new BasicConstraintsExtension(ca, undefined, true),
      new KeyUsagesExtension(usages, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
      ...(ca
        ? []
        : [new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth, ExtendedKeyUsage.clientAuth])]),
      ...(names.length === 0 ? [] : [new SubjectAlternativeNameExtension([...names], true)]),
    ],
  });
  return { certificate: toPem("CERTIFICATE", new Uint8Array(certificate.rawData)), key: keyPem(keys), keys };
}

export const makeRoot = (name = "root", options: TestCertificateOptions = {}): Promise<TestCertificate> =>
  makeCertificate({ subject: [{ O: [name] }], ca: true, to: 365 * dayMs, ...options });

export interface TestCsrOptions {
  readonly keys?: webcrypto.CryptoKeyPair;
  readonly subject?: JsonName;
  readonly names?: readonly JsonGeneralName[];
  readonly hash?: string;
}

export interface TestCsr {
  readonly pem: string;
  readonly der: Buffer;
  /** PEM. */
  readonly key: string;
  readonly keys: webcrypto.CryptoKeyPair;
}

export async function makeCsr(options: TestCsrOptions = {}): Promise<TestCsr> {
  const { subject = [], names = [], hash = "SHA-256" } = options;
  const keys = options.keys ?? (await makeKeys());
  const request = await Pkcs10CertificateRequestGenerator.create({
    name: subject,
    keys,
    signingAlgorithm: { name: keys.privateKey.algorithm.name, hash },
    extensions: names.length === 0 ? [] : [new SubjectAlternativeNameExtension([...names])],
  });
  const der = Buffer.from(request.rawData);
  return { pem: toPem("CERTIFICATE REQUEST", der), der, key: keyPem(keys), keys };
}

export const keyPem = ({ privateKey }: webcrypto.CryptoKeyPair): string =>
  KeyObject.from(privateKey).export({ type: "pkcs8", format: "pem" }) as string;
