import { ApplicationProtocol as Protocol } from "@keelson/protos/policy";
import { listenerName } from "../names.ts";
import { type ChainPlan, withoutOverlaps } from "./chain-plan.ts";

/** What a listener finds out about connections: that they are HTTP is known, that they are bytes, or it looks. */
export type ListenerKind = "http" | "tcp" | "auto";

/** A listener before it is written down. */
export interface ListenerPlan {
  readonly name: string;
  readonly binds: readonly string[];
  readonly port: number;
  /** It has a socket of its own; otherwise connections come from the one that traffic is redirected to. */
  readonly bindToPort: boolean;
  readonly chains: readonly ChainPlan[];
}

interface Entry extends ListenerPlan {
  kind: ListenerKind;
  chains: readonly ChainPlan[];
  readonly protocol: Protocol;
}

export interface Addition extends ListenerPlan {
  /** What the listener becomes if it is new. */
  readonly kind: ListenerKind;
  /** What the service's port speaks. */
  readonly incoming: ListenerKind;
  readonly protocol: Protocol;
}

const httpProtocols = new Set([
  Protocol.HTTP,
  Protocol.HTTP2,
  Protocol.GRPC,
  Protocol.GRPC_WEB,
  Protocol.HTTP_PROXY,
]);
/** Servers of these speak first, or are looked into by filters of their own: they share a port with nothing else. */
const lonelyProtocols = new Set([Protocol.MONGO, Protocol.MYSQL]);

/** Undefined for UDP, which has no listener. */
export function listenerKind(protocol: Protocol): ListenerKind | undefined {
  if (protocol === Protocol.UDP) return undefined;
  if (protocol === Protocol.UNSPECIFIED) return "auto";
  return httpProtocols.has(protocol) ? "http" : "tcp";
}

/** Services that meet on one address and port share a listener; Istio's rules say what it becomes. */
export class ListenerMerger {
  private readonly entries = new Map<string, Entry>();
  private readonly locked = new Set<string>();

  /** Listeners so far take nothing more: a Sidecar has said what they are for. */
  lock(): void {
    for (const key of this.entries.keys()) this.locked.add(key);
  }

  /** Whether an HTTP service has anything to add: all of them share one chain. */
  wantsHttp(bind: string, port: number): boolean {
    const key = listenerName(bind, port);
    const present = this.entries.get(key);
    return !this.locked.has(key) && (present === undefined || present.kind === "tcp");
  }

  add(addition: Addition): void {
    const key = listenerName(addition.binds[0] ?? "", addition.port);
    const present = this.entries.get(key);
    const { incoming, protocol, chains, ...plan } = addition;
    if (present === undefined) {
      this.entries.set(key, { ...plan, protocol, chains: withoutOverlaps(chains) });
      return;
    }
    const lonely = lonelyProtocols.has(protocol) || lonelyProtocols.has(present.protocol);
    if (this.locked.has(key) || (lonely && protocol !== present.protocol)) return;
    if (incoming === "auto" && present.kind === "http") {
      this.entries.set(key, { ...plan, protocol, chains: withoutOverlaps(chains) });
      return;
    }
    present.chains = withoutOverlaps([...present.chains, ...chains]);
    if (incoming !== present.kind) present.kind = "auto";
  }

  plans(): ListenerPlan[] {
    return [...this.entries]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([, { name, binds, port, bindToPort, chains }]) => ({ name, binds, port, bindToPort, chains }));
  }
}
