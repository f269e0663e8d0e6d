import { z } from "zod";

/** Keys of Secrets and ConfigMaps that certificates are looked for under; of others only the names are kept. */
const credentialKeys = [
  "cert",
  "key",
  "cacert",
  "crl",
  "tls.crt",
  "tls.key",
  "ca.crt",
  "ca.crl",
  "tls.ocsp-staple",
] as const;
export type CredentialKey = (typeof credentialKeys)[number];

/** What stands under those keys that are there. */
export type CredentialValues = Readonly<Partial<Record<CredentialKey, Uint8Array>>>;

export interface Secret {
  /** "kubernetes.io/tls", "Opaque", … */
  readonly type: string;
  /** All keys, sorted. */
  readonly keys: readonly string[];
  readonly values: CredentialValues;
}

/** Of every Secret that is not one of these; there are many, and they hold no certificate for proxies. */
const typesWithoutCredentials = new Set(["helm.sh/release.v1", "kubernetes.io/service-account-token"]);

const base64 = z
  .string()
  .regex(/^[A-Za-z0-9+/\s]*={0,2}\s*$/, "is not base64")
  .transform((text) => Uint8Array.from(Buffer.from(text, "base64")));

const text = z.string().transform((value) => new TextEncoder().encode(value));

/** core/v1 Secret, as far as it is read: no more of it is kept than may be served. */
export const secret: z.ZodType<Secret> = z
  .object({
    type: z.string().default("Opaque"),
    data: z.record(z.string(), base64).nullish(),
    stringData: z.record(z.string(), text).nullish(),
  })
  .transform(({ type, data, stringData }) => {
    const all = typesWithoutCredentials.has(type) ? {} : { ...data, ...stringData };
    return { type, keys: Object.keys(all).sort(), values: credentialValues(all) };
  });

export function credentialValues(all: Readonly<Record<string, Uint8Array>>): CredentialValues {
  return Object.fromEntries(
    credentialKeys.flatMap((key) => (Object.hasOwn(all, key) ? [[key, all[key]]] : [])),
  );
}
