import type { RouteTable } from "@keelson/protos/route";
import { isWildcard, overlap } from "../hosts.ts";

/** The gateway name that stands for all sidecars. */
export const meshGateway = "mesh";

/** Finds route tables by host, namespace and gateway; every answer keeps the order of the policy IR. */
export class RouteTableIndex {
  readonly mesh: readonly RouteTable[];
  /** Label keys and hostnames of callers that matches look at: callers alike in these get the same routes. */
  readonly sourceLabelKeys: ReadonlySet<string>;
  readonly sourceHostnames: ReadonlySet<string>;
  private readonly order = new Map<RouteTable, number>();
  private readonly byHost = new Map<string, RouteTable[]>();
  private readonly wildcards: { readonly host: string; readonly table: RouteTable }[] = [];
  private readonly byNamespace = new Map<string, RouteTable[]>();
  private readonly byGateway = new Map<string, RouteTable[]>();

  constructor(tables: ReadonlyMap<string, RouteTable>) {
    for (const table of tables.values()) {
      this.order.set(table, this.order.size);
      for (const gateway of table.gateways) append(this.byGateway, gateway, table);
      if (!table.gateways.includes(meshGateway)) continue;
      append(this.byNamespace, table.namespace, table);
      for (const host of table.hosts) {
        if (isWildcard(host)) this.wildcards.push({ host, table });
        else append(this.byHost, host, table);
      }
    }
    this.mesh = this.byGateway.get(meshGateway) ?? [];
    const sources = [...tables.values()].flatMap(({ http, tcp, tls }) =>
      [...http, ...tcp, ...tls].flatMap(({ matches }) => matches.flatMap(({ source }) => source ?? [])),
    );
    this.sourceLabelKeys = new Set(sources.flatMap(({ labels }) => Object.keys(labels)));
    this.sourceHostnames = new Set(sources.map(({ hostname }) => hostname).filter(Boolean));
  }

  forGateway(name: string): readonly RouteTable[] {
    return this.byGateway.get(name) ?? [];
  }

  /** For sidecars: tables of a namespace. */
  inNamespace(namespace: string): readonly RouteTable[] {
    return this.byNamespace.get(namespace) ?? [];
  }

  /** For sidecars: tables with this very host, or with a wildcard that overlaps it. */
  withHost(host: string): readonly RouteTable[] {
    const exact = this.byHost.get(host) ?? [];
    const wildcards = this.wildcards.filter((entry) => overlap(entry.host, host));
    return wildcards.length === 0 ? exact : this.sorted([...exact, ...wildcards.map(({ table }) => table)]);
  }

  /** Without duplicates, in the order of the policy IR. */
  sorted(tables: Iterable<RouteTable>): RouteTable[] {
    return [...new Set(tables)].sort((a, b) => (this.order.get(a) ?? 0) - (this.order.get(b) ?? 0));
  }
}

function append(lists: Map<string, RouteTable[]>, key: string, table: RouteTable): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [table]);
  else if (list.at(-1) !== table) list.push(table);
}
