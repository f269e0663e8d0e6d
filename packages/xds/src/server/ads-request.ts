import type { Node } from "@envoyproxy/xds-protos/envoy/config/core/v3/base_pb.js";
import type { TypeRule } from "./type-rules.ts";
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
   * @returns the state from now on; undefined: nothing is wanted.
   */
  follow(known: TypeState | undefined, rule: TypeRule): TypeState | undefined;
}
