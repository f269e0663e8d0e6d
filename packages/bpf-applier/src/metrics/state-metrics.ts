import type { RelayKeeperStatus } from "../relay/relay-keeper.ts";
import type { SocketStatus } from "../request-programs.ts";
import { Exposition } from "./exposition.ts";

/** What of an agent's state somebody may want to be woken for. */
export interface AgentState {
  /** Nothing is decided on the node. */
  readonly isIdle: boolean;
  readonly connected: boolean;
  /** By type, as ApplierStatus has it. */
  readonly rejected: Readonly<Record<string, string>>;
  readonly unsavedBecause?: string | undefined;
  /** Undefined: the node has none. */
  readonly relay?: RelayKeeperStatus | undefined;
  readonly sockets?: SocketStatus;
}

/** An agent's own state as Prometheus reads it: 1 where it is as the name says, else 0. */
export function stateMetrics({
  isIdle,
  connected,
  rejected,
  unsavedBecause,
  relay,
  sockets,
}: AgentState): string {
  const text = new Exposition();
  const gauge = (name: string, help: string, value: boolean | number): void =>
    text.add({ name, type: "gauge", help }, [{ labels: {}, value: BigInt(value) }]);
  gauge("keelson_node_left_alone", "Nothing is decided on the node; bpf-applier status says why.", isIdle);
  gauge("keelson_control_plane_connected", "The control plane's stream is there.", connected);
  if (isIdle) return text.text();
  const types = Object.keys(rejected).length;
  gauge("keelson_policy_rejected_types", "Types of the policy of which something was not taken.", types);
  const isUnsaved = unsavedBecause !== undefined;
  gauge(
    "keelson_policy_unsaved",
    "The node's disk does not have the policy that the tables hold.",
    isUnsaved,
  );
  const isLowered = sockets?.lowerBecause !== undefined;
  gauge("keelson_sockets_lowered", "Sockets are treated by a lower mode than --sockets asks for.", isLowered);
  if (relay === undefined) return text.text();
  gauge("keelson_relay_up", "The node's relay runs.", relay.pid !== undefined);
  const isBypassed = relay.bypassed === true;
  gauge("keelson_relay_bypassed", "Connections are decided once, without rules for requests.", isBypassed);
  text.add(
    { name: "keelson_relay_restarts_total", type: "counter", help: "How often the relay was started again." },
    [{ labels: {}, value: BigInt(relay.restarts) }],
  );
  const refused = Object.entries(relay.refused ?? {});
  text.add(
    {
      name: "keelson_relay_refused_total",
      type: "counter",
      help: "Callers' connections that the relay closed before anything was passed on.",
    },
    refused.map(([reason, count]) => ({ labels: { reason }, value: BigInt(count) })),
  );
  return text.text();
}
