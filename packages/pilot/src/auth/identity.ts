/** Who a workload is in the mesh: the SPIFFE id that certificates carry. */
export interface Identity {
  readonly trustDomain: string;
  readonly namespace: string;
  readonly serviceAccount: string;
}

const name = /^[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?$/;
const trustDomain = /^[A-Za-z0-9](?:[-A-Za-z0-9._]{0,253}[A-Za-z0-9])?$/;

/** "spiffe://cluster.local/ns/default/sa/reviews" */
export function formatIdentity({ trustDomain: domain, namespace, serviceAccount }: Identity): string {
  return `spiffe://${domain}/ns/${namespace}/sa/${serviceAccount}`;
}

/** @returns undefined for anything that is not exactly a workload's SPIFFE id in Istio's form. */
export function parseIdentity(text: string): Identity | undefined {
  const match = /^spiffe:\/\/([^/]{1,255})\/ns\/([^/]{1,253})\/sa\/([^/]{1,253})$/.exec(text);
  if (match === null) return undefined;
  const [, domain = "", namespace = "", serviceAccount = ""] = match;
  if (!trustDomain.test(domain) || !name.test(namespace) || !name.test(serviceAccount)) return undefined;
  return { trustDomain: domain, namespace, serviceAccount };
}

/** "system:serviceaccount:default:reviews", as Kubernetes names a service account in tokens and reviews. */
export function parseServiceAccountUser(
  text: string,
): { readonly namespace: string; readonly serviceAccount: string } | undefined {
  const [system, kind, namespace = "", serviceAccount = "", ...rest] = text.split(":", 6);
  if (system !== "system" || kind !== "serviceaccount" || rest.length > 0) return undefined;
  if (!name.test(namespace) || !name.test(serviceAccount)) return undefined;
  return { namespace, serviceAccount };
}

/** A trust domain as it may stand in a SPIFFE id: Istio writes "." for "@". */
export function sanitizeTrustDomain(domain: string): string {
  return domain.replaceAll("@", ".");
}
