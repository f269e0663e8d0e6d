import { create } from "@bufbuild/protobuf";
import { parseAddress } from "@keelson/model";
import type { PolicyIr } from "@keelson/protos";
import {
  type Endpoint,
  EndpointSchema,
  type EndpointSet,
  EndpointSetSchema,
  type ExternalName,
  Protocol,
  Resolution,
  type Service,
  ServiceSchema,
  type Workload,
  WorkloadSchema,
} from "@keelson/protos/policy";
import {
  type Extension,
  ExtensionSchema,
  type Gateway,
  GatewaySchema,
  type Mesh,
  MeshSchema,
  OutboundPolicy,
  type PeerAuthentication,
  PeerAuthenticationSchema,
  type SidecarScope,
  SidecarScopeSchema,
} from "@keelson/protos/proxy";
import { type RouteTable, RouteTableSchema } from "@keelson/protos/route";
import { type HostPolicy, HostPolicySchema } from "@keelson/protos/traffic-policy";
import type { Init } from "../wire.ts";

/** The bytes of an address. @throws Error for what is none. */
export function address(text: string): Uint8Array {
  const bytes = parseAddress(text);
  if (bytes === undefined) throw new Error(`"${text}" is no IP address`);
  return bytes;
}

/** Istio's defaults. */
export const aMesh = (init: Init<typeof MeshSchema> = {}): Mesh =>
  create(MeshSchema, {
    trustDomain: "cluster.local",
    rootNamespace: "istio-system",
    proxyListenPort: 15001,
    proxyInboundListenPort: 15006,
    connectTimeoutMs: 10_000n,
    outboundPolicy: OutboundPolicy.ALLOW_ANY,
    enableAutoMtls: true,
    dnsRefreshRateMs: 60_000n,
    domain: "cluster.local",
    ...init,
  });

type ServiceInit = Omit<Init<typeof ServiceSchema>, "addresses"> & { readonly addresses?: readonly string[] };

/** "name.namespace" of a Kubernetes service, with an address if none is given. */
export function aService(name: string, init: ServiceInit = {}): Service {
  const [short = "", namespace = "default"] = name.split(".");
  return create(ServiceSchema, {
    hostname: `${short}.${namespace}.svc.cluster.local`,
    namespace,
    resolution: Resolution.STATIC,
    ...init,
    addresses: (init.addresses ?? ["10.96.0.1"]).map(address),
    ports: (init.ports ?? []).map((port) => ({ protocol: Protocol.TCP, ...port })),
  });
}

type EndpointInit = Omit<Init<typeof EndpointSchema>, "address"> & { readonly address?: string };

const anEndpoint = (init: EndpointInit = {}): Endpoint =>
  create(EndpointSchema, {
    port: 8080,
    weight: 1,
    ...init,
    address: init.address === undefined ? new Uint8Array() : address(init.address),
  });

export const anEndpointSet = (name: string, endpoints: readonly EndpointInit[]): EndpointSet =>
  create(EndpointSetSchema, { name, endpoints: endpoints.map(anEndpoint) });

export const aRouteTable = (name: string, init: Init<typeof RouteTableSchema>): RouteTable =>
  create(RouteTableSchema, { name, namespace: name.split("/")[1] ?? "default", gateways: ["mesh"], ...init });

export const aHostPolicy = (name: string, init: Init<typeof HostPolicySchema>): HostPolicy =>
  create(HostPolicySchema, { name, namespace: name.split("/")[1] ?? "default", ...init });

export const aSidecarScope = (name: string, init: Init<typeof SidecarScopeSchema>): SidecarScope =>
  create(SidecarScopeSchema, { name, namespace: name.split("/")[0] ?? "default", ...init });

export const aPeerAuthentication = (
  name: string,
  init: Init<typeof PeerAuthenticationSchema>,
): PeerAuthentication =>
  create(PeerAuthenticationSchema, { name, namespace: name.split("/")[0] ?? "default", ...init });

export const anExtension = (name: string, init: Init<typeof ExtensionSchema>): Extension =>
  create(ExtensionSchema, {
    name,
    namespace: name.split("/")[0] ?? "default",
    forClients: true,
    forServers: true,
    url: "file:///plugin.wasm",
    ...init,
  });

export const aGateway = (name: string, init: Init<typeof GatewaySchema>): Gateway =>
  create(GatewaySchema, { name, namespace: name.split("/")[0] ?? "default", ...init });

export const aWorkload = (name: string, init: Init<typeof WorkloadSchema> = {}): Workload =>
  create(WorkloadSchema, { name, namespace: name.split("/")[0] ?? "default", ...init });

export interface IrParts {
  readonly mesh?: Mesh;
  readonly services?: readonly Service[];
  readonly externalNames?: readonly ExternalName[];
  readonly endpointSets?: readonly EndpointSet[];
  readonly workloads?: readonly Workload[];
  readonly routeTables?: readonly RouteTable[];
  readonly hostPolicies?: readonly HostPolicy[];
  readonly gateways?: readonly Gateway[];
  readonly sidecarScopes?: readonly SidecarScope[];
  readonly peerAuthentications?: readonly PeerAuthentication[];
  readonly extensions?: readonly Extension[];
}

const byName = <Item extends { readonly name: string }>(items: readonly Item[] = []): Map<string, Item> =>
  new Map(items.map((item) => [item.name, item]));

/** A whole snapshot; what is not given is empty, or Istio's default. */
export function anIr(parts: IrParts): PolicyIr {
  const services = [...(parts.services ?? [])].sort((a, b) => (a.hostname < b.hostname ? -1 : 1));
  return {
    mesh: parts.mesh ?? aMesh(),
    services: new Map(services.map((service) => [service.hostname, service])),
    externalNames: new Map(parts.externalNames?.map((name) => [name.hostname, name])),
    endpointSets: byName(parts.endpointSets),
    workloads: byName(parts.workloads),
    routeTables: byName(parts.routeTables),
    hostPolicies: byName(parts.hostPolicies),
    gateways: byName(parts.gateways),
    sidecarScopes: byName(parts.sidecarScopes),
    peerAuthentications: byName(parts.peerAuthentications),
    extensions: byName(parts.extensions),
  };
}
