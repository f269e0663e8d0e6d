import { createPrivateKey, X509Certificate } from "node:crypto";
import type { CredentialValues, Secret } from "../kinds/secret.ts";
import { foundKeys } from "./found-keys.ts";

/** A certificate with its key, all PEM but the staple, which is DER. */
export interface Certificate {
  readonly chain: Uint8Array;
  readonly privateKey: Uint8Array;
  /** OCSP response; empty for none. */
  readonly ocspStaple: Uint8Array;
}

/** Why there is none; never with any of the content. */
export interface Unusable {
  readonly why: string;
}

type Content = Pick<Secret, "keys" | "values">;

const known = new WeakMap<CredentialValues, Certificate | Unusable>();

/**
 * The certificate and key of a Secret: under cert and key, else under tls.crt and tls.key (istio/istio,
 * pilot/pkg/credentials/kube). A chain that cannot be read, or a key that is another's, is no use to any proxy.
 */
export function certificateIn(content: Content): Certificate | Unusable {
  const before = known.get(content.values);
  if (before !== undefined) return before;
  const found = pairIn(content);
  const why = "why" in found ? undefined : whyUnusable(found);
  const result = why === undefined ? found : { why };
  known.set(content.values, result);
  return result;
}

function pairIn({ keys, values }: Content): Certificate | Unusable {
  const { cert, key, "tls.crt": chain, "tls.key": privateKey } = values;
  if (isFilled(cert) && isFilled(key)) return { chain: cert, privateKey: key, ocspStaple: new Uint8Array() };
  if (isFilled(chain) && isFilled(privateKey)) {
    return { chain, privateKey, ocspStaple: values["tls.ocsp-staple"] ?? new Uint8Array() };
  }
  const isEmpty = (cert && key) ?? (chain && privateKey);
  const expected = "neither tls.crt and tls.key, nor cert and key";
  return {
    why: `has ${expected}${isEmpty === undefined ? "" : " with anything in them"}; ${foundKeys(keys)}`,
  };
}

function whyUnusable({ chain, privateKey }: Certificate): string | undefined {
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(chain);
  } catch {
    return "its chain is not PEM of a certificate";
  }
  try {
    const key = createPrivateKey(Buffer.from(privateKey));
    return certificate.checkPrivateKey(key) ? undefined : "its key does not belong to its certificate";
  } catch {
    return "its key is not PEM of a private key without a passphrase";
  }
}

export const isFilled = (value: Uint8Array | undefined): value is Uint8Array =>
  value !== undefined && value.length > 0;
