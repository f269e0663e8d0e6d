import type { Resource } from "@keelson/protos";
import type { PeerNode } from "./peer-node.ts";

/** What a request for resources that are made when they are asked for gets. */
export type OnDemandAnswer =
  | {
      readonly resources: readonly Resource[];
      /** Of the response; none if left out. */
      readonly controlPlaneIdentifier?: string;
    }
  | {
      /** The gRPC status that the stream ends with. */
      readonly code: "UNAUTHENTICATED" | "PERMISSION_DENIED" | "INVALID_ARGUMENT";
      readonly reason: string;
    };

/**
 * Answers requests of types that no snapshot has: each request gets one response, and nothing is sent unasked.
 * @param names that are asked for
 * @returns undefined for a type that is not answered so
 */
export type OnDemand = (
  typeUrl: string,
  names: readonly string[],
  node: PeerNode | undefined,
) => OnDemandAnswer | undefined;

export const nothingOnDemand: OnDemand = () => undefined;
