import type { Families } from "./addresses.ts";
import type { ExtensionUse } from "./extension/extension-index.ts";
import type { InterceptionMode } from "./proxy-metadata.ts";
import type { ProxyKind, ProxyNode } from "./proxy-node.ts";

/** What of a proxy changes the resources it gets, beside its scope. Proxies alike in these share everything. */
export interface ProxyTraits {
  readonly kind: ProxyKind;
  readonly families: Families;
  readonly interception: InterceptionMode;
  readonly namespace: string;
  /** "default.svc.cluster.local" */
  readonly domain: string;
  /** Only those that some rule looks at. */
  readonly labels: Readonly<Record<string, string>>;
  /** Services its workload belongs to, of those that some rule looks at; sorted. */
  readonly hostnames: readonly string[];
  readonly locality: ProxyNode["locality"];
  readonly agent: boolean;
  readonly http10: boolean;
  readonly unprivileged: boolean;
  readonly idleTimeoutMs: number | undefined;
  readonly httpProxyPort: number | undefined;
  /** In the order in which requests pass through those of one phase. */
  readonly extensions: readonly ExtensionUse[];
}

/** Equal for proxies whose filters are alike. */
export const filtersKey = ({ extensions }: ProxyTraits): unknown =>
  extensions.map(({ name, phase, forClients, forServers }) => [name, phase, forClients, forServers]);

/** Equal for traits that are alike. */
export const traitsKey = (traits: ProxyTraits): string => JSON.stringify(traits);

/** Whether it sits beside an application, rather than at an edge of the mesh. */
export const isSidecar = ({ kind }: ProxyTraits): boolean => kind === "sidecar";
