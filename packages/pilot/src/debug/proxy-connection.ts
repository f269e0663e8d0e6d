import type { JsonObject } from "@bufbuild/protobuf";
import type { Resource } from "@keelson/protos";

/** One type of resources on one stream. */
export interface Watch {
  /** What was asked for by name, or what a wildcard brought; sorted. */
  readonly names: readonly string[];
  /** Nonces of the last response sent and of the last one acked; "" for none. */
  readonly sent: string;
  readonly acked: string;
  readonly sentAt: Date | undefined;
  /** Why the last response was rejected; "" if it was not. */
  readonly error: string;
}

/** A proxy, or anything else that is connected over xDS and has said who it is. */
export interface ProxyConnection {
  /** Of the stream: the proxy, and a number. */
  readonly id: string;
  /** The stream's. */
  readonly number: number;
  /** "reviews-1.default"; the whole id of a node whose id is not Istio's. */
  readonly proxy: string;
  /** "sidecar", "router", …; "" if the id is not Istio's. */
  readonly type: string;
  readonly namespace: string;
  readonly clusterId: string;
  readonly istioVersion: string;
  /** As it was told. */
  readonly metadata: JsonObject;
  readonly labels: Readonly<Record<string, string>>;
  readonly locality: { readonly region: string; readonly zone: string; readonly subZone: string };
  readonly peer: string;
  readonly connectedAt: Date;
  /** Type URL → what is watched of it. */
  readonly watches: ReadonlyMap<string, Watch>;
  /** What it should hold of a type now, as far as it asked for it; in the order of the server's list. */
  resources(typeUrl: string): readonly Resource[];
}
