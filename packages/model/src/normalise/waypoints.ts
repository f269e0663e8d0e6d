import type { ConfigObject } from "../config-object.ts";
import { waypointLabel, waypointNamespaceLabel } from "../metadata-read.ts";

/** "namespace/name" of the waypoint that a service's labels name; empty for none. */
export function waypointOf({ metadata: { labels, namespace } }: Pick<ConfigObject, "metadata">): string {
  const name = labels[waypointLabel] ?? "";
  return name === "" || name === "none" ? "" : `${labels[waypointNamespaceLabel] || namespace}/${name}`;
}
