import { CaptureMode } from "@keelson/protos/proxy";
import type { RouteTable } from "@keelson/protos/route";
import type { RouteTableIndex } from "../index/route-tables.ts";
import { isExportedTo, type ServiceIndex } from "../index/services.ts";
import { destinationHosts, type Scope } from "../scope/scope.ts";
import { wholeService } from "../scope/scoped-service.ts";

/**
 * The services that name a waypoint, the rules for them, and the services that these lead to.
 * @param key "namespace/name" of the waypoint
 */
export function waypointScope(
  key: string,
  { services, routeTables }: { readonly services: ServiceIndex; readonly routeTables: RouteTableIndex },
): Scope {
  const [namespace = ""] = key.split("/");
  const served = services.all.filter(({ waypoint }) => waypoint === key);
  const tables = routeTables.sorted(
    served.flatMap((service) =>
      routeTables.withHost(service.hostname).filter((table) => isOwn(table, service.namespace, namespace)),
    ),
  );
  const hostnames = new Set([...served.map(({ hostname }) => hostname), ...tables.flatMap(destinationHosts)]);
  const led = [...hostnames].sort().flatMap((hostname) => {
    const service = services.get(hostname);
    return service !== undefined && isExportedTo(service, namespace) ? wholeService(service) : [];
  });
  const listener = { port: 0, protocol: "", bind: "", captureMode: CaptureMode.UNSPECIFIED };
  return {
    egress: [{ ...listener, services: served.map(wholeService), tables }],
    services: led,
    allowAny: false,
    ingress: [],
    inboundConnectionPool: undefined,
  };
}

/** Rules of the service's namespace and of the waypoint's count, of no other. */
const isOwn = (table: RouteTable, ...namespaces: string[]): boolean => namespaces.includes(table.namespace);
