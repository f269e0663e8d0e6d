import type { Endpoint } from "@keelson/model";

/** SPIFFE ids of the endpoints' service accounts, sorted. */
export function accountsOf(endpoints: readonly Endpoint[], trustDomain: string): string[] {
  const accounts = new Set<string>();
  for (const { namespace, serviceAccount } of endpoints) {
    if (serviceAccount !== "") accounts.add(`spiffe://${trustDomain}/ns/${namespace}/sa/${serviceAccount}`);
  }
  return [...accounts].sort();
}
