import { envoyTypeUrls } from "../envoy/type-urls.ts";
import type { TypeRule } from "../server/type-rules.ts";

const { cluster, endpoint, listener, route, secret, extensionConfig, nameTable } = envoyTypeUrls;

/** How proxies and istiod's other clients are used to be served. */
const asIstiod = { settling: true, unversioned: true, versionForm: "time" } as const;

/**
 * Rules of the types that proxies ask for, in the order in which they must get them. Clusters and endpoints are there
 * before listeners and routes that lead to them.
 */
export const envoyTypeRules: readonly TypeRule[] = [
  { ...asIstiod, typeUrl: cluster, stage: 0, followedBy: endpoint },
  { ...asIstiod, typeUrl: endpoint, stage: 0, wildcard: false, independent: true },
  { ...asIstiod, typeUrl: listener, stage: 1, takesPlaces: true },
  { ...asIstiod, typeUrl: route, stage: 1, wildcard: false },
  // Clusters wait for their secrets.
  { ...asIstiod, typeUrl: secret, stage: 1, wildcard: false, prompt: true },
  // A proxy that is told to drop an extension drops it from listeners that still use it.
  { ...asIstiod, typeUrl: extensionConfig, stage: 1, wildcard: false, neverRemoved: true },
  { ...asIstiod, typeUrl: nameTable, stage: 1 },
  { typeUrl: "type.googleapis.com/istio.v1.HealthInformation", reportOnly: true },
];
