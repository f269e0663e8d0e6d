import { z } from "zod";
import { type CredentialValues, credentialValues } from "./secret.ts";

export interface ConfigMap {
  /** All keys, sorted. */
  readonly keys: readonly string[];
  readonly values: CredentialValues;
}

/** core/v1 ConfigMap, as far as it is read: roots that proxies check certificates by. */
export const configMap: z.ZodType<ConfigMap> = z
  .object({ data: z.record(z.string(), z.string()).nullish() })
  .transform(({ data }) => {
    const all = Object.entries(data ?? {});
    const encoder = new TextEncoder();
    return {
      keys: all.map(([key]) => key).sort(),
      values: credentialValues(Object.fromEntries(all.map(([key, text]) => [key, encoder.encode(text)]))),
    };
  });
