import { CaptureMode, type IngressListener, OutboundPolicy, type SidecarScope } from "@keelson/protos/proxy";
import type { RouteTable } from "@keelson/protos/route";
import type { ConnectionPool } from "@keelson/protos/traffic-policy";
import type { RouteTableIndex } from "../index/route-tables.ts";
import { isExportedTo, type ServiceIndex } from "../index/services.ts";
import { Imports } from "./imports.ts";
import { type ScopedService, trimmedService, wholeService, wholeServices } from "./scoped-service.ts";

/** What one egress listener of a scope sees. */
export interface Egress {
  /** 0: all ports that no other listener of the scope is for. */
  readonly port: number;
  /** Upper case as in Istio; empty where `port` is 0. */
  readonly protocol: string;
  /** An address, "unix://" and a path, or empty. */
  readonly bind: string;
  readonly captureMode: CaptureMode;
  /** Sorted by hostname. */
  readonly services: readonly ScopedService[];
  /** In the order in which they are asked. */
  readonly tables: readonly RouteTable[];
}

/** Everything that the rules let some sidecars see. */
export interface Scope {
  readonly egress: readonly Egress[];
  /** What the listeners see and what their routes lead to: these have clusters. */
  readonly services: readonly ScopedService[];
  /** Unknown destinations are passed through. */
  readonly allowAny: boolean;
  readonly ingress: readonly IngressListener[];
  readonly inboundConnectionPool: ConnectionPool | undefined;
}

/** Without a Sidecar every exported service is seen. */
const everything = { port: 0, protocol: "", bind: "", captureMode: CaptureMode.UNSPECIFIED, hosts: ["*/*"] };

export interface ScopeInputs {
  readonly services: ServiceIndex;
  readonly routeTables: RouteTableIndex;
  readonly meshPolicy: OutboundPolicy;
}

export function buildScope(
  sidecar: SidecarScope | undefined,
  namespace: string,
  { services, routeTables, meshPolicy }: ScopeInputs,
): Scope {
  const listeners = sidecar !== undefined && sidecar.egress.length > 0 ? sidecar.egress : [everything];
  const egress = listeners.map(({ port, protocol, bind, captureMode, hosts }): Egress => {
    const imports = new Imports(hosts, namespace);
    const takesAllPorts = port === 0 || protocol.toUpperCase() === "HTTP_PROXY";
    return {
      port,
      protocol: protocol.toUpperCase(),
      bind,
      captureMode,
      services: takesAllPorts
        ? wholeServices(imports.services(services))
        : imports.services(services).flatMap((service) => trimmedService(service, port) ?? []),
      tables: imports.routeTables(routeTables),
    };
  });
  const written = sidecar?.outboundPolicy ?? OutboundPolicy.UNSPECIFIED;
  const policy = written === OutboundPolicy.UNSPECIFIED ? meshPolicy : written;
  return {
    egress,
    services: servicesWithClusters(egress, services, namespace),
    allowAny: policy !== OutboundPolicy.REGISTRY_ONLY,
    ingress: sidecar?.ingress ?? [],
    inboundConnectionPool: sidecar?.inboundConnectionPool,
  };
}

function servicesWithClusters(
  egress: readonly Egress[],
  index: ServiceIndex,
  namespace: string,
): readonly ScopedService[] {
  const [only] = egress;
  const destinations = new Set(egress.flatMap(({ tables }) => tables.flatMap(destinationHosts)));
  if (only !== undefined && egress.length === 1 && destinations.size === 0) return only.services;
  const byHostname = new Map<string, ScopedService>();
  for (const scoped of egress.flatMap(({ services }) => services)) {
    const known = byHostname.get(scoped.service.hostname);
    const same = known === undefined || known === scoped;
    byHostname.set(scoped.service.hostname, same ? scoped : wholeService(scoped.service));
  }
  for (const host of destinations) {
    const service = index.get(host);
    if (service === undefined || !isExportedTo(service, namespace)) continue;
    byHostname.set(service.hostname, wholeService(service));
  }
  return [...byHostname.values()].sort((a, b) => (a.service.hostname < b.service.hostname ? -1 : 1));
}

/** Every host that a table can send something to. */
export function destinationHosts({ http, tcp, tls }: RouteTable): string[] {
  const connections = [...tcp, ...tls].flatMap(({ destinations }) => destinations);
  const requests = http.flatMap(({ destinations, mirrors }) => [
    ...destinations,
    ...mirrors.flatMap(({ destination }) => destination ?? []),
  ]);
  return [...connections, ...requests].map(({ hostname }) => hostname);
}
