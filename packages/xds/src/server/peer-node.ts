import { create, type JsonObject } from "@bufbuild/protobuf";
import { type Node, NodeSchema } from "@envoyproxy/xds-protos/envoy/config/core/v3/base_pb.js";
import { nodeNameMetadata } from "@keelson/model/names";
import { checkBytes, checkLimit, type ServerLimits } from "./limits.ts";

/** What is kept of a peer's Node message. The same object for all of a stream. */
export interface PeerNode {
  readonly id: string;
  /**
   * Of the Kubernetes node whose own resources the peer gets: NODE_NAME of its metadata, or what it was admitted as;
   * "" if it was not told.
   */
  readonly name: string;
  /** Id, cluster, locality, and the metadata that the server was made to keep. */
  readonly message: Node;
}

/** @throws Refusal, if anything of it is longer than it may be. */
export function peerNodeOf(node: Node, keptMetadata: readonly string[], limits: ServerLimits): PeerNode {
  const told = node.metadata?.[nodeNameMetadata];
  const name = typeof told === "string" ? told : "";
  checkBytes("the node's id or NODE_NAME", [node.id, name], limits.nameBytes);
  const { region = "", zone = "", subZone = "" } = node.locality ?? {};
  checkBytes("the node's cluster or locality", [node.cluster, region, zone, subZone], limits.nameBytes);
  const metadata = pick(node.metadata ?? {}, keptMetadata);
  checkLimit(
    "bytes of the node's metadata",
    Buffer.byteLength(JSON.stringify(metadata)),
    limits.metadataBytes,
  );
  const locality = node.locality === undefined ? {} : { locality: { region, zone, subZone } };
  const message = create(NodeSchema, { id: node.id, cluster: node.cluster, metadata, ...locality });
  return { id: node.id, name, message };
}

const pick = (all: JsonObject, keys: readonly string[]): JsonObject =>
  Object.fromEntries(keys.flatMap((key) => (all[key] === undefined ? [] : [[key, all[key]]])));
