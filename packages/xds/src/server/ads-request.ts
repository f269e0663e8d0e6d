import type { Node } from "@envoyproxy/xds-protos/envoy/config/core/v3/base_pb.js";
import type { TypeState } from "./type-state.ts";

/** How a stream speaks ADS: of what changed, or of the state of the world. */
export type Variant = "delta" | "sotw";

/** A request of either variant. */
export interface AdsRequest {
  readonly node: Node | undefined;
  readonly typeUrl: string;
  /** Of the response that is answered; empty: none. */
  readonly nonce: string;
  /** Why that response was rejected; undefined: it was not. */
  readonly error: string | undefined;
  /** All names in it of resources that are wanted, or not wanted any more. */
  readonly names: readonly string[];
  /** Resource name → version that is held from an earlier stream. */
  readonly initialVersions: Readonly<Record<string, string>>;
  /**
   * Takes over what the request wants.
   * @param known the state of its type so far; undefined if it is not open.
   * @param open makes the state of a type that nothing is known of.
   * @returns the state from now on; undefined: there is none, and the request means nothing.
   */
  follow(known: TypeState | undefined, open: () => TypeState): TypeState | undefined;
}
