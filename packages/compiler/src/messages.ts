import { create } from "@bufbuild/protobuf";
import type {
  Endpoint as ModelEndpoint,
  ExternalName as ModelExternalName,
  Service as ModelService,
  Workload as ModelWorkload,
  ApplicationProtocol as ProtocolName,
} from "@keelson/model";
import {
  ApplicationProtocol,
  type Endpoint,
  EndpointSchema,
  type EndpointSet,
  EndpointSetSchema,
  type ExternalName,
  ExternalNameSchema,
  type Label,
  LabelSchema,
  LeftAlone,
  Protocol,
  type Service,
  type ServicePort,
  ServicePortSchema,
  ServiceSchema,
  Tier,
  type Workload,
  WorkloadSchema,
} from "@keelson/protos/policy";
import type { TierName } from "./explanation.ts";
import type { ResolvedPort } from "./resolve-routes.ts";

const tiers: Record<TierName, Tier> = { connect: Tier.CONNECT, kernel: Tier.KERNEL, relay: Tier.RELAY };
const protocols = { TCP: Protocol.TCP, UDP: Protocol.UDP } as const;

/** As messages have them. */
export const applicationProtocols: Record<ProtocolName, ApplicationProtocol> = {
  grpc: ApplicationProtocol.GRPC,
  "grpc-web": ApplicationProtocol.GRPC_WEB,
  http: ApplicationProtocol.HTTP,
  http_proxy: ApplicationProtocol.HTTP_PROXY,
  http2: ApplicationProtocol.HTTP2,
  https: ApplicationProtocol.HTTPS,
  mongo: ApplicationProtocol.MONGO,
  mysql: ApplicationProtocol.MYSQL,
  redis: ApplicationProtocol.REDIS,
  tcp: ApplicationProtocol.TCP,
  tls: ApplicationProtocol.TLS,
  udp: ApplicationProtocol.UDP,
  unknown: ApplicationProtocol.UNSPECIFIED,
};

/** Of the workload's labels, those that tell a reader which version answered. */
const shownLabelKeys = ["app", "version"];

/** Replicas of one version show the same, though each has labels of its own for where it stands. */
const knownShownLabels = new Map<string, string[]>();

/** More different ones than that are forgotten, and kept anew when they come again. */
const mostShownLabels = 10_000;

function shownLabels(labels: ModelEndpoint["labels"]): string[] {
  const made = shownLabelKeys.flatMap((key) => (labels[key] === undefined ? [] : [`${key}=${labels[key]}`]));
  const text = made.join();
  const known = knownShownLabels.get(text);
  if (known !== undefined) return known;
  if (knownShownLabels.size >= mostShownLabels) knownShownLabels.clear();
  knownShownLabels.set(text, made);
  return made;
}

/**
 * @param accounts SPIFFE ids of the endpoints' own service accounts, separated by commas
 * @param mutualTls see the message
 */
export function serviceMessage(
  service: ModelService,
  ports: readonly ResolvedPort[],
  { accounts, mutualTls }: { readonly accounts: string; readonly mutualTls: boolean },
): Service {
  return create(ServiceSchema, {
    hostname: service.hostname,
    namespace: service.namespace,
    addresses: [...service.addresses],
    ports: ports.map(portMessage),
    resolution: service.resolution,
    meshExternal: service.meshExternal,
    exportedTo: [...service.exportedTo],
    identities: [...new Set([...service.identities, ...accounts.split(",")])].filter(Boolean).sort(),
    aliases: [...service.aliases],
    addressBlocks: [...service.addressBlocks],
    mutualTls,
    waypoint: service.waypoint,
    keepsSessions: service.keepsSessions === true,
  });
}

function portMessage({ port, wantedTier, tier, why, destinations }: ResolvedPort): ServicePort {
  return create(ServicePortSchema, {
    port: port.port,
    name: port.name,
    protocol: protocols[port.transport],
    applicationProtocol: applicationProtocols[port.protocol],
    wantedTier: tiers[wantedTier],
    tier: tiers[tier],
    tierReason: why,
    destinations: destinations.map(({ weight, endpointSet }) => ({ weight, endpointSet })),
  });
}

export const externalNameMessage = ({
  hostname,
  namespace,
  target,
  ports,
}: ModelExternalName): ExternalName =>
  create(ExternalNameSchema, {
    hostname,
    namespace,
    target,
    ports: ports.map(({ port, name, transport, protocol }) => ({
      port,
      name,
      protocol: protocols[transport],
      applicationProtocol: applicationProtocols[protocol],
    })),
  });

export function endpointSetMessage(name: string, endpoints: readonly ModelEndpoint[]): EndpointSet {
  const messagesOf = (drain: boolean): Endpoint[] =>
    endpoints.filter(({ draining = false }) => draining === drain).map(endpointMessage);
  return create(EndpointSetSchema, { name, endpoints: messagesOf(false), draining: messagesOf(true) });
}

/** An endpoint of one port is in several sets, and the same message in each. */
const endpointMessages = new WeakMap<ModelEndpoint, Endpoint>();

function endpointMessage(endpoint: ModelEndpoint): Endpoint {
  const known = endpointMessages.get(endpoint);
  if (known !== undefined) return known;
  const { address, hostname, port, weight, workload, labels, locality, mutualTls, serviceAccount, tunnel } =
    endpoint;
  const message = create(EndpointSchema, {
    address,
    hostname,
    port,
    weight,
    workload,
    labels: shownLabels(labels),
    locality,
    mutualTls,
    serviceAccount,
    tunnel,
  });
  endpointMessages.set(endpoint, message);
  return message;
}

/** Many pods have the very same labels. */
const knownLabels = new WeakMap<object, Label[]>();

function labelMessages(labels: ModelWorkload["labels"]): Label[] {
  const known = knownLabels.get(labels);
  if (known !== undefined) return known;
  const made = Object.keys(labels)
    .sort()
    .map((key) => create(LabelSchema, { key, value: labels[key] ?? "" }));
  knownLabels.set(labels, made);
  return made;
}

/** There are very many workloads: their messages hold the model's own lists, which nobody changes. */
const shared = <Item>(list: readonly Item[]): Item[] =>
  // Messages have no readonly fields.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  list as Item[];

const leftAloneCodes: Readonly<Record<NonNullable<ModelWorkload["leftAlone"]>, LeftAlone>> = {
  "host network": LeftAlone.HOST_NETWORK,
  "opted out": LeftAlone.OPTED_OUT,
  "namespace opted out": LeftAlone.NAMESPACE_OPTED_OUT,
  sidecar: LeftAlone.SIDECAR,
};

export function workloadMessage(workload: ModelWorkload): Workload {
  const { name, namespace, addresses, node, serviceAccount, uid, labels, probePorts, leftAlone } = workload;
  return create(WorkloadSchema, {
    name,
    namespace,
    addresses: shared(addresses),
    node,
    serviceAccount,
    uid,
    labels: labelMessages(labels),
    probePorts: shared(probePorts),
    leftAlone: leftAlone === undefined ? LeftAlone.UNSPECIFIED : leftAloneCodes[leftAlone],
  });
}
