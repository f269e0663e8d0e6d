import { isIP } from "node:net";
import { parseAddress } from "../address.ts";
import type { WorkloadEntryObject } from "../kinds/index.ts";
import type { WorkloadEntrySpec } from "../kinds/workload-entry.ts";
import type { Endpoint, Transport } from "../model.ts";
import { labelFacts, type WorkloadFacts } from "./workload-facts.ts";

/** A port of a service, and where its endpoints listen unless they say otherwise. */
export interface TargetPort {
  readonly name: string;
  readonly transport: Transport;
  readonly target: number;
}

/** Labels of a WorkloadEntry: those of its metadata win over those in its spec (Istio). */
export const entryLabels = ({ body, metadata }: WorkloadEntryObject): Record<string, string> => ({
  ...body.spec.labels,
  ...metadata.labels,
});

/** @param object the WorkloadEntry; absent for one that is written inside a ServiceEntry */
export function entryFacts(
  spec: WorkloadEntrySpec,
  namespace: string,
  object?: WorkloadEntryObject,
): WorkloadFacts {
  const labels = object === undefined ? spec.labels : entryLabels(object);
  const { locality, mutualTls, tunnel } = labelFacts(namespace, labels);
  return {
    workload: object === undefined ? "" : `${namespace}/${object.metadata.name}`,
    namespace,
    serviceAccount: spec.serviceAccount,
    locality: spec.locality === "" ? locality : spec.locality,
    // Who has an identity of the mesh speaks its TLS, unless a label says otherwise (Istio).
    mutualTls: mutualTls || (spec.serviceAccount !== "" && labels["security.istio.io/tlsMode"] === undefined),
    tunnel,
    labels,
  };
}

/** One endpoint for each port. @returns why there is none */
export function entryEndpoints(
  { address = "", ports, weight }: WorkloadEntrySpec,
  facts: WorkloadFacts,
  servicePorts: readonly TargetPort[],
): Endpoint[] | string {
  if (address.startsWith("unix:")) return "UNIX domain sockets are not supported; the endpoint is left out";
  if (address === "") return "other networks are not supported; the endpoint is left out";
  const byAddress = isIP(address) !== 0;
  return servicePorts.map(({ name, transport, target }) => ({
    address: (byAddress ? parseAddress(address) : undefined) ?? new Uint8Array(),
    hostname: byAddress ? "" : address.toLowerCase(),
    port: ports[name] ?? target,
    portName: name,
    transport,
    weight: Math.max(weight, 1),
    ...facts,
  }));
}
