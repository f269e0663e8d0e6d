import type { Service } from "@keelson/model";
import { Resolution } from "@keelson/protos/policy";

/**
 * A verb and more: why nodes leave connections to a service as they are; undefined if they decide them. What is left alone for another
 * reason than having no address is not sent to nodes.
 */
export function whyLeftAlone({ addresses, resolution }: Service): string | undefined {
  if (addresses.length === 0) return "has no address of its own that callers dial";
  if (isLookedUp(resolution)) return "finds its endpoints by DNS, which nodes do not ask yet";
  if (resolution === Resolution.PASSTHROUGH) return "sends connections where the caller dials";
  return undefined;
}

export const isLookedUp = (resolution: Resolution): boolean =>
  resolution === Resolution.DNS || resolution === Resolution.DNS_ROUND_ROBIN;

/** Whether nodes are told of a service. */
export const isForNodes = (service: Service): boolean =>
  whyLeftAlone(service) === undefined || (service.addresses.length === 0 && !isLookedUp(service.resolution));
