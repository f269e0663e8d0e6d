import type { NodeView } from "@keelson/model";
import type { NodeStatus } from "@keelson/xds";
import { envoyTypeUrls } from "@keelson/xds/envoy";

type Status = Pick<NodeStatus, "id" | "name" | "peer" | "connectedAt" | "pendingSince" | "types">;

const proxyTypes: ReadonlySet<string> = new Set(Object.values(envoyTypeUrls));

/** What every connected kernel node should hold, and what it says its maps hold. */
export function nodeViews(server: { nodes(): readonly Status[] }, wantedVersion: string): NodeView[] {
  return server
    .nodes()
    .filter(({ types }) => !Object.keys(types).some((typeUrl) => proxyTypes.has(typeUrl)))
    .map((node) => nodeView(node, wantedVersion));
}

function nodeView(node: Status, wantedVersion: string): NodeView {
  const types = Object.entries(node.types);
  const rejected = types.flatMap(([type, { rejection }]) =>
    rejection === undefined ? [] : [[type, rejection.message]],
  );
  const upToDate = node.pendingSince === undefined && rejected.length === 0 && types.length > 0;
  // A type that does not differ between two versions is not sent, so its acked version may be an older one.
  const behind = types.filter(
    ([, { sentVersion, ackedVersion, rejection }]) =>
      ackedVersion === "" || ackedVersion !== sentVersion || rejection !== undefined,
  );
  return {
    name: node.name,
    id: node.id,
    peer: node.peer,
    connectedAt: node.connectedAt.toISOString(),
    wantedVersion,
    appliedVersion: upToDate ? wantedVersion : oldest(behind.map(([, { ackedVersion }]) => ackedVersion)),
    ...(node.pendingSince === undefined ? {} : { pendingSince: node.pendingSince.toISOString() }),
    rejected: Object.fromEntries(rejected) as Record<string, string>,
  };
}

/** Versions are decimal numbers; none at all comes first. */
function oldest(versions: readonly string[]): string {
  return [...versions].sort((a, b) => a.length - b.length || (a < b ? -1 : 1))[0] ?? "";
}
