import type { Metadata } from "@grpc/grpc-js";
import type { PeerNode } from "./peer-node.ts";
import type { RefusalCode } from "./refusal.ts";

/** The part of a gRPC call that tells who is calling. */
export interface IncomingCall {
  readonly metadata: Metadata;
  getPeer(): string;
  getAuthContext(): { readonly sslPeerCertificate?: { readonly raw?: Buffer } | undefined };
}

/** Whether a peer is served. */
export type Admission =
  | {
      readonly admitted: true;
      /** The Kubernetes node whose own resources the peer gets; what it says itself if left out. */
      readonly nodeName?: string;
    }
  | {
      readonly admitted: false;
      /** The gRPC status that the peer gets. */
      readonly code: RefusalCode;
      readonly reason: string;
    };

/** @param node undefined if the first request of the stream has none. */
export type Admit = (call: IncomingCall, node: PeerNode | undefined) => Admission | Promise<Admission>;

export const admitAll: Admit = () => ({ admitted: true });
