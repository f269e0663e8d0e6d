import type { CredentialValues, Secret } from "../kinds/secret.ts";
import { isFilled, type Unusable } from "./certificate.ts";
import { foundKeys } from "./found-keys.ts";

/** Certificates that others are checked by, and those of them that are revoked; PEM. */
export interface Roots {
  readonly certificates: Uint8Array;
  /** Empty: none. */
  readonly revoked: Uint8Array;
}

const known = new WeakMap<CredentialValues, Roots | Unusable>();

/** The roots of a Secret or a ConfigMap: under cacert, else under ca.crt (istio/istio, pilot/pkg/credentials/kube). */
export function rootsIn(content: Pick<Secret, "keys" | "values">): Roots | Unusable {
  const found = known.get(content.values) ?? read(content);
  known.set(content.values, found);
  return found;
}

function read({ keys, values }: Pick<Secret, "keys" | "values">): Roots | Unusable {
  const nothing = new Uint8Array();
  if (isFilled(values.cacert)) return { certificates: values.cacert, revoked: values.crl ?? nothing };
  if (isFilled(values["ca.crt"]))
    return { certificates: values["ca.crt"], revoked: values["ca.crl"] ?? nothing };
  const isEmpty = values.cacert !== undefined || values["ca.crt"] !== undefined;
  return {
    why: `has neither ca.crt nor cacert${isEmpty ? " with anything in them" : ""}; ${foundKeys(keys)}`,
  };
}
