import { type Endpoint, spiffeId } from "@keelson/model";

/** SPIFFE ids of the endpoints' service accounts, sorted. */
export function accountsOf(endpoints: readonly Endpoint[], trustDomain: string): string[] {
  const accounts = new Set<string>();
  for (const { namespace, serviceAccount } of endpoints) {
    if (serviceAccount !== "") accounts.add(spiffeId(trustDomain, namespace, serviceAccount));
  }
  return [...accounts].sort();
}
