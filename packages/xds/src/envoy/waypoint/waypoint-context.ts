import type { ServicePort } from "@keelson/protos/policy";
import { Context } from "../context.ts";
import { type ListenerKind, listenerKind } from "../listener/listener-merger.ts";
import { outboundClusterName } from "../names.ts";
import { vipClusterName } from "./waypoint-names.ts";

/** A port's requests, its bytes, or both where it does not say what it speaks. */
export function vipKinds({ applicationProtocol }: ServicePort): ("http" | "tcp")[] {
  const kind: ListenerKind | undefined = listenerKind(applicationProtocol);
  if (kind === undefined) return [];
  return kind === "auto" ? ["tcp", "http"] : [kind];
}

/** What a waypoint's resources are made from. */
export class WaypointContext extends Context {
  /** "namespace/name" of the Gateway that it is for. */
  readonly key: string;

  constructor(key: string, ...inputs: ConstructorParameters<typeof Context>) {
    super(...inputs);
    this.key = key;
  }

  /** Whether the waypoint stands before a service; others it only calls. */
  serves(hostname: string): boolean {
    return this.services.get(hostname)?.waypoint === this.key;
  }

  override clusterName(port: number, subset: string, hostname: string): string {
    if (!this.serves(hostname)) return outboundClusterName(port, subset, hostname);
    const declared = this.services.get(hostname)?.ports.find((candidate) => candidate.port === port);
    const kinds = declared === undefined ? [] : vipKinds(declared);
    return vipClusterName(
      port,
      kinds.includes("http") || kinds.length === 0 ? "http" : "tcp",
      subset,
      hostname,
    );
  }
}
