import { type Endpoint, spiffeId } from "@keelson/model";

/** Of endpoints that did not change, the accounts are the same, too. */
const known = new WeakMap<readonly Endpoint[], { readonly trustDomain: string; readonly accounts: string }>();

/** SPIFFE ids of the endpoints' service accounts, sorted, separated by commas. */
export function accountsOf(endpoints: readonly Endpoint[], trustDomain: string): string {
  const before = known.get(endpoints);
  if (before?.trustDomain === trustDomain) return before.accounts;
  const ids = new Set<string>();
  for (const { namespace, serviceAccount } of endpoints) {
    if (serviceAccount !== "") ids.add(spiffeId(trustDomain, namespace, serviceAccount));
  }
  const accounts = [...ids].sort().join();
  known.set(endpoints, { trustDomain, accounts });
  return accounts;
}
