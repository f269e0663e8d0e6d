import type { Node } from "@envoyproxy/xds-protos/envoy/config/core/v3/base_pb.js";
import type { Variant } from "./ads-request.ts";
import type { Connection } from "./connection.ts";
import type { Rejection } from "./rejections.ts";

export interface TypeStatus {
  /** Version of the last response sent, "" before the first. */
  readonly sentVersion: string;
  /** The same of the last response acked. */
  readonly ackedVersion: string;
  readonly sentNonce: string;
  readonly ackedNonce: string;
  /** The last nack, until all that was rejected has been replaced or removed, and that was acked. */
  readonly rejection?: Rejection;
}

export interface NodeStatus {
  readonly id: string;
  readonly name: string;
  readonly peer: string;
  /** Tells the stream from others of the same node. */
  readonly connectionId: string;
  readonly variant: Variant;
  /** What is kept of what the node told of itself. */
  readonly node: Node;
  readonly connectedAt: Date;
  /** Since when a push waits for its answers; undefined: none does. */
  readonly pendingSince?: Date;
  readonly types: Readonly<Record<string, TypeStatus>>;
}

/** @returns undefined for a stream that has not told its node, or is not admitted yet. */
export function statusOf({
  id: connectionId,
  node,
  stream,
  peer,
  speech,
}: Connection): NodeStatus | undefined {
  if (node === undefined || stream === undefined) return undefined;
  const types: Record<string, TypeStatus> = {};
  for (const [typeUrl, state] of stream.types) {
    const { sentVersion, ackedVersion, sentNonce, ackedNonce, subscription } = state;
    const { rejection } = subscription;
    const versions = { sentVersion, ackedVersion, sentNonce, ackedNonce };
    types[typeUrl] = { ...versions, ...(rejection === undefined ? {} : { rejection }) };
  }
  return {
    id: node.id,
    name: node.name,
    peer,
    connectionId,
    variant: speech.codec.variant,
    node: node.message,
    connectedAt: stream.connectedAt,
    ...(stream.pendingSince === undefined ? {} : { pendingSince: stream.pendingSince }),
    types,
  };
}
