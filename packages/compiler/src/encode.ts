import { createHash } from "node:crypto";
import { create, type DescMessage, type MessageShape, toBinary } from "@bufbuild/protobuf";
import type { Endpoint, Service, Workload } from "@keelson/model";
import type { Resource } from "@keelson/protos";
import {
  EndpointSchema,
  EndpointSetSchema,
  Protocol,
  ServicePortSchema,
  ServiceSchema,
  Tier,
  WorkloadSchema,
} from "@keelson/protos/policy";
import type { TierName } from "./explanation.ts";
import type { ResolvedPort } from "./resolve-routes.ts";

const tiers: Record<TierName, Tier> = { connect: Tier.CONNECT, kernel: Tier.KERNEL, relay: Tier.RELAY };
const protocols = { TCP: Protocol.TCP, UDP: Protocol.UDP } as const;

/** Of the workload's labels, those that tell a reader which version answered. */
const shownLabels = ["app", "version"];

function resource<Desc extends DescMessage>(
  schema: Desc,
  name: string,
  message: MessageShape<Desc>,
): Resource {
  const body = toBinary(schema, message);
  // 64 bits: two versions of one resource are alike with a probability of 1 in 10^19.
  return { name, version: createHash("sha256").update(body).digest("hex").slice(0, 16), body };
}

/** @param endpointSets names of the sets of each port's destinations */
export function serviceResource(
  service: Service,
  ports: readonly ResolvedPort[],
  endpointSets: readonly (readonly string[])[],
): Resource {
  return resource(
    ServiceSchema,
    service.hostname,
    create(ServiceSchema, {
      hostname: service.hostname,
      namespace: service.namespace,
      addresses: [...service.addresses],
      ports: ports.map((resolved, port) =>
        create(ServicePortSchema, {
          port: resolved.port.port,
          name: resolved.port.name,
          protocol: protocols[resolved.port.transport],
          wantedTier: tiers[resolved.wantedTier],
          tier: tiers[resolved.tier],
          tierReason: resolved.why,
          destinations: resolved.destinations.map(({ weight }, i) => ({
            weight,
            endpointSet: endpointSets[port]?.[i] ?? "",
          })),
        }),
      ),
    }),
  );
}

export function endpointSetResource(name: string, endpoints: readonly Endpoint[]): Resource {
  return resource(
    EndpointSetSchema,
    name,
    create(EndpointSetSchema, {
      name,
      endpoints: endpoints.map(({ address, port, workload, labels }) =>
        create(EndpointSchema, {
          address,
          port,
          weight: 1,
          workload,
          labels: shownLabels.flatMap((key) => (labels[key] === undefined ? [] : [`${key}=${labels[key]}`])),
        }),
      ),
    }),
  );
}

export function workloadResource(workload: Workload): Resource {
  const { name, namespace, addresses, node, serviceAccount, uid, labels } = workload;
  const message = create(WorkloadSchema, {
    name,
    namespace,
    addresses: [...addresses],
    node,
    serviceAccount,
    uid,
    labels: Object.keys(labels)
      .sort()
      .map((key) => ({ key, value: labels[key] ?? "" })),
  });
  return { ...resource(WorkloadSchema, name, message), node };
}
