import type { Service } from "@keelson/model";
import { Resolution } from "@keelson/protos/policy";

/** Why nodes leave connections to a service as they are, as a verb and more; undefined if they decide them. */
export function whyLeftAlone(service: Service): string | undefined {
  const { addresses, resolution } = service;
  // Kubernetes gives its services an address; where it stands in no file, it is only not known yet.
  const isPending = resolution === Resolution.STATIC && isOfKubernetes(service);
  if (addresses.length === 0 && !isPending) return "has no address of its own that callers dial";
  if (resolution === Resolution.DNS || resolution === Resolution.DNS_ROUND_ROBIN) {
    return "finds its endpoints by DNS, which nodes do not ask yet";
  }
  if (resolution === Resolution.PASSTHROUGH) return "sends connections where the caller dials";
  return undefined;
}

const isOfKubernetes = ({ object }: Service): boolean => object.kind === "Service";

/** Whether nodes are told of a service: what they leave alone they need not know, but for headless services by name. */
export const isForNodes = (service: Service): boolean =>
  isOfKubernetes(service) || whyLeftAlone(service) === undefined;
