import type { Resource } from "@keelson/protos";
import type { Connection } from "./connection.ts";
import { type NodeStatus, statusOf } from "./node-status.ts";
import type { PeerNode } from "./peer-node.ts";
import { noResources, type View } from "./view.ts";

/** One stream that has told its node, to be looked at; it changes as the stream goes on. */
export interface ConnectionView extends NodeStatus {
  /** Of the stream; no other one of this server ever has it. */
  readonly number: number;
  readonly peerNode: PeerNode;
  /** When it was sent anything of a type last. */
  sentAt(typeUrl: string): Date | undefined;
  /** What it asked for of a type by name, or what it was told if it asked for everything; sorted. */
  names(typeUrl: string): string[];
  /** What it should hold of a type now. */
  resources(typeUrl: string): Resource[];
}

/**
 * @param newest what a node should hold now
 * @returns undefined for a stream that has not told its node, or is not admitted yet
 */
export function viewOfConnection(
  connection: Connection,
  newest: (node: PeerNode | undefined) => { readonly view: View } | undefined,
): ConnectionView | undefined {
  const { number, node: peerNode, stream } = connection;
  const status = statusOf(connection);
  if (status === undefined || peerNode === undefined || stream === undefined) return undefined;
  return {
    ...status,
    number,
    peerNode,
    sentAt: (typeUrl) => {
      const at = stream.types.get(typeUrl)?.sentAt;
      return at === undefined ? undefined : new Date(at);
    },
    names: (typeUrl) => {
      const subscription = stream.types.get(typeUrl)?.subscription;
      if (subscription === undefined) return [];
      const names = subscription.isWildcard
        ? [...subscription.held()].map(({ name }) => name)
        : [...subscription.wanted];
      return names.sort();
    },
    resources: (typeUrl) => {
      const subscription = stream.types.get(typeUrl)?.subscription;
      const view = newest(peerNode)?.view;
      if (subscription === undefined || view === undefined) return [];
      const list = view.resources(typeUrl) ?? noResources;
      if (subscription.isWildcard) return [...list.values()];
      return [...subscription.wanted].flatMap((name) => list.get(name) ?? view.lookup?.(typeUrl, name) ?? []);
    },
  };
}
