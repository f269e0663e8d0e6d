import type { Resource } from "@keelson/protos";
import type { Variant } from "./ads-request.ts";
import type { Changes } from "./changes.ts";
import type { ResponseParts } from "./encoding.ts";
import type { EncodedResponse, ResponseContent } from "./shared-responses.ts";
import type { TypeState } from "./type-state.ts";

/** What a response says. */
export interface Content {
  readonly resources: readonly Resource[];
  readonly removed: readonly string[];
}

/** What the two variants of ADS do not have in common. */
export interface Codec {
  readonly variant: Variant;
  /** Whether a response makes the ones before it stale that are not answered yet. */
  readonly supersedes: boolean;
  /** @returns undefined if nothing is to be said. @param must whether there must be a response, even an empty one. */
  compose(changes: Changes, state: TypeState, must: boolean): Content | undefined;
  /** Resources of `names` were told of a type that this one follows. @param first in answer to a first request. */
  repeatAfter(state: TypeState, names: readonly string[], first: boolean): void;
  encode(parts: ResponseParts): Buffer;
  /** The same bytes for all that are told the same. @param newNonce a nonce that no response before has */
  encodeShared(content: ResponseContent, newNonce: () => string): EncodedResponse;
}
