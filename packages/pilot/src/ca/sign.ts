import { randomBytes, type webcrypto } from "node:crypto";
import { toPem } from "./pem.ts";
import type { Signer } from "./signer.ts";
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  type JsonGeneralName,
  KeyUsageFlags,
  KeyUsagesExtension,
  type PublicKey,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509CertificateGenerator,
} from "./x509.ts";

/** A certificate counts from this long before it was made, for clocks that are behind. */
const clockSkewMs = 2 * 60_000;

export interface LeafOptions {
  readonly publicKey: PublicKey;
  readonly names: readonly JsonGeneralName[];
  /** "" for none; then the names are all that tells whose it is. */
  readonly commonName: string;
  readonly now: Date;
  readonly notAfter: Date;
}

/** PEM of a certificate for servers and clients. Its names are critical, since its subject may be empty. */
export async function signLeaf(signer: Signer, options: LeafOptions): Promise<string> {
  const { publicKey, names, commonName, now, notAfter } = options;
  const identifier = signer.certificate.getExtension(SubjectKeyIdentifierExtension)?.keyId;
  const certificate = await X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject: commonName === "" ? [] : [{ CN: [commonName] }],
    issuer: signer.certificate.subjectName,
    notBefore: wholeSeconds(now.getTime() - clockSkewMs),
    notAfter: wholeSeconds(notAfter.getTime()),
    publicKey,
    signingKey: signer.key,
    signingAlgorithm: { name: signer.key.algorithm.name, hash: signer.hash },
    extensions: [
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature | KeyUsageFlags.keyEncipherment, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth, ExtendedKeyUsage.clientAuth]),
      new BasicConstraintsExtension(false, undefined, true),
      ...(identifier === undefined ? [] : [new AuthorityKeyIdentifierExtension(identifier)]),
      new SubjectAlternativeNameExtension([...names], true),
    ],
  });
  return toPem("CERTIFICATE", new Uint8Array(certificate.rawData));
}

export interface RootOptions {
  readonly keys: webcrypto.CryptoKeyPair;
  readonly organization: string;
  readonly now: Date;
  readonly notAfter: Date;
}

/** PEM of a self-signed authority. */
export async function signRoot({ keys, organization, now, notAfter }: RootOptions): Promise<string> {
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: [{ O: [organization] }],
    notBefore: wholeSeconds(now.getTime()),
    notAfter: wholeSeconds(notAfter.getTime()),
    keys,
    extensions: [
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign, true),
      new BasicConstraintsExtension(true, undefined, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return toPem("CERTIFICATE", new Uint8Array(certificate.rawData));
}

/** 127 bits, never 0, as hexadecimal digits. */
function serialNumber(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes.toString("hex");
}

/** Certificates carry whole seconds; the library would write a fraction. */
const wholeSeconds = (ms: number): Date => new Date(Math.floor(ms / 1000) * 1000);
