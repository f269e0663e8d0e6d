import type { Node } from "@envoyproxy/xds-protos/envoy/config/core/v3/base_pb.js";
import { parseAddress } from "@keelson/model";
import { type InterceptionMode, type ProxyMetadata, parseMetadata } from "./proxy-metadata.ts";

const kinds = ["sidecar", "router", "waypoint", "agentgateway", "ztunnel"] as const;
export type ProxyKind = (typeof kinds)[number];

/** What a proxy said of itself in the node of its first request. */
export interface ProxyNode {
  /** As sent. */
  readonly id: string;
  readonly cluster: string;
  readonly kind: ProxyKind;
  /**
   * The id is not Istio's: an Envoy with a bootstrap of its own. It is a sidecar that nothing redirects traffic to, so
   * its listeners bind ports of the loopback interface.
   */
  readonly plain: boolean;
  /** Its pod. */
  readonly name: string;
  readonly namespace: string;
  /** DNS suffix of its own names ("default.svc.cluster.local"); empty: by its namespace and the mesh's domain. */
  readonly domain: string;
  /** 4 or 16 bytes each, in the order sent. Empty only for a plain Envoy. */
  readonly addresses: readonly Uint8Array[];
  readonly locality: { readonly region: string; readonly zone: string; readonly subZone: string };
  readonly interception: InterceptionMode;
  readonly metadata: ProxyMetadata;
}

/** A node that says too little, or contradicts itself: gRPC status INVALID_ARGUMENT. */
export class ProxyNodeError extends Error {
  override readonly name = "ProxyNodeError";
}

const plainNamespace = "default";

/**
 * Reads the node of a first request. Istio's ids are `type~ip~name.namespace~dnsdomain`; an id without "~" is a plain
 * Envoy's. INSTANCE_IPS of the metadata win over the id's address, NAMESPACE over the domain's first label.
 * @throws ProxyNodeError naming the node, the part, what was found and what would be right.
 */
export function parseProxyNode(node: Node | undefined): ProxyNode {
  if (node === undefined) throw new ProxyNodeError("the first request of a stream has no node");
  const metadata = parseMetadata(node.metadata ?? {});
  const { region = "", zone = "", subZone = "" } = node.locality ?? {};
  const common = { id: node.id, cluster: node.cluster, locality: { region, zone, subZone }, metadata };
  if (!node.id.includes("~")) {
    return {
      ...common,
      kind: "sidecar",
      plain: true,
      name: node.id,
      namespace: metadata.namespace ?? plainNamespace,
      domain: "",
      addresses: addressesOf(metadata.instanceIps),
      interception: metadata.interceptionMode ?? "NONE",
    };
  }
  const parts = node.id.split("~");
  const [type = "", ip = "", name = "", domain = ""] = parts;
  if (parts.length !== 4) {
    throw new ProxyNodeError(
      `node id "${node.id}" has ${parts.length} parts; type~ip~name.namespace~dnsdomain has 4`,
    );
  }
  const addresses = addressesOf(metadata.instanceIps.length > 0 ? metadata.instanceIps : [ip]);
  if (addresses.length === 0) {
    throw new ProxyNodeError(
      `node id "${node.id}" has no valid address; its second part or INSTANCE_IPS must be IP addresses, found "${ip}" and "${metadata.instanceIps.join(",")}"`,
    );
  }
  return {
    ...common,
    kind: kindOf(type, node.id),
    plain: false,
    name: name.split(".", 1)[0] ?? "",
    namespace: metadata.namespace ?? domain.split(".", 1)[0] ?? "",
    domain,
    addresses,
    interception: metadata.interceptionMode ?? "REDIRECT",
  };
}

function kindOf(type: string, id: string): ProxyKind {
  const kind = kinds.find((candidate) => candidate === type);
  if (kind === undefined) {
    throw new ProxyNodeError(`node id "${id}" has the type "${type}"; it must be one of ${kinds.join(", ")}`);
  }
  return kind;
}

const addressesOf = (texts: readonly string[]): Uint8Array[] =>
  texts.flatMap((text) => parseAddress(text.trim()) ?? []);
