import type { LegacyMesh } from "@keelson/protos/proxy";
import type { Age } from "./age.ts";
import type { Caller } from "./caller.ts";
import { optional } from "./go-json.ts";

/** Whether proxies ask Mixer and tell it; what its filter of 0.7 wants is another thing, and is not made here. */
export const asksMixer = ({ mesh, age }: { readonly mesh: LegacyMesh; readonly age: Age }): boolean =>
  age === "0.2" && mesh.mixerAddress !== "";

/** Limits are high: nearly every request of the proxy asks Mixer. */
const mixerLimit = 10_000;

export const mixerCluster = ({ mixerAddress, connectTimeoutMs }: LegacyMesh): object => ({
  name: "mixer_server",
  connect_timeout_ms: Number(connectTimeoutMs),
  type: "strict_dns",
  lb_type: "round_robin",
  hosts: [{ url: `tcp://${mixerAddress}` }],
  features: "http2",
  circuit_breakers: { default: { max_pending_requests: mixerLimit, max_requests: mixerLimit } },
});

/** What the mixer filter does with a route's requests. */
export const mixerOpaque = (
  { disablePolicyChecks }: LegacyMesh,
  forwards: boolean,
): Record<string, string> => ({
  mixer_check: disablePolicyChecks ? "off" : "on",
  mixer_forward: forwards ? "on" : "off",
  mixer_report: "on",
});

const uidOf = ({ node: { id } }: Caller): string => `kubernetes://${id}`;

/** @param hostnames of the services that requests are for, or from */
export const mixerHttpConfig = (caller: Caller, hostnames: readonly string[]): object => ({
  mixer_attributes: {
    "destination.ip": caller.node.address,
    ...optional("destination.service", hostnames.join(",")),
    "destination.uid": uidOf(caller),
  },
  forward_attributes: { "source.ip": caller.node.address, "source.uid": uidOf(caller) },
  quota_name: "RequestCount",
});

export const mixerTcpConfig = (caller: Caller, { disablePolicyChecks }: LegacyMesh): object => ({
  mixer_attributes: { "destination.ip": caller.node.address, "destination.uid": uidOf(caller) },
  ...optional("disable_tcp_check_calls", disablePolicyChecks),
});
