import { type FieldPath, type Problem, problemOf } from "../config-object.ts";
import type { GatewayObject, IstioGatewayObject } from "../kinds/index.ts";
import type { ReferenceGrants } from "./reference-grants.ts";

/** What is asked for in place of a secret that a Gateway may not name; there never is one. */
export const invalidCredential = "invalid://";

const scheme = "kubernetes-gateway://";

export const gatewayCredential = (namespace: string, name: string): string => `${scheme}${namespace}/${name}`;

/**
 * Checks a credential of a Gateway: proxies are given those of the scheme kubernetes-gateway because a Gateway names
 * them, so it must be allowed to.
 * @returns the credential, or an invalid one, of which a problem tells
 */
export function checkedCredential(
  credential: string,
  object: GatewayObject | IstioGatewayObject,
  path: FieldPath,
  { grants, problems }: { readonly grants: ReferenceGrants; readonly problems: Problem[] },
): string {
  if (!credential.startsWith(scheme)) return credential;
  const [namespace = "", name = ""] = credential.slice(scheme.length).split("/");
  const own = object.metadata.namespace;
  const from = { group: "gateway.networking.k8s.io", kind: "Gateway", namespace: own };
  if (grants.allows({ from, to: { group: "", kind: "Secret", namespace, name } })) return credential;
  const text = `Secret ${namespace}/${name} is of another namespace, and no ReferenceGrant there allows Gateways of ${own} to name it`;
  problems.push({ ...problemOf("error", object, path, text), reason: "RefNotPermitted" });
  return invalidCredential;
}
