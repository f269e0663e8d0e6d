import type { DiscoveryRequest } from "@envoyproxy/xds-protos/envoy/service/discovery/v3/discovery_pb.js";
import type { AdsRequest } from "./ads-request.ts";
import type { Changes } from "./changes.ts";
import type { Codec, Content } from "./codec.ts";
import { encodeSotw, type ResourceEncoder, type ResponseParts } from "./encoding.ts";
import { SharedResponses } from "./shared-responses.ts";
import type { TypeState } from "./type-state.ts";

export const sotwRequest = (message: DiscoveryRequest): AdsRequest => ({
  node: message.node,
  typeUrl: message.typeUrl,
  nonce: message.responseNonce,
  error: message.errorDetail?.message,
  names: message.resourceNames,
  initialVersions: {},
  follow: (known, open) => follow(message, known, open),
});

function follow(
  request: DiscoveryRequest,
  known: TypeState | undefined,
  open: () => TypeState,
): TypeState | undefined {
  const { resourceNames: names, responseNonce: nonce, errorDetail } = request;
  if (known === undefined || nonce === "") {
    // What a first request rejects was sent on an earlier stream.
    if (known === undefined && errorDetail !== undefined) return undefined;
    return begin(known ?? open(), names);
  }
  if (nonce !== known.sentNonce) return known;
  const repeats = known.answersNext && errorDetail === undefined;
  if (repeats) {
    known.answersNext = false;
    known.subscription.repeat();
  }
  const more = known.subscription.replace(wantedNames(names, known));
  if (more || repeats) known.asked = known.due = true;
  return known;
}

/** A request without a nonce begins anew: it is answered in full, but for one that wants nothing. */
function begin(state: TypeState, names: readonly string[]): TypeState {
  const wanted = wantedNames(names, state);
  state.subscription.replace(wanted);
  state.subscription.repeat();
  state.opening = state.asked = state.due = wanted.length > 0;
  if (wanted.length === 0) state.heard = true;
  return state;
}

/** No names are everything for a type with a wildcard, as long as there never were any. */
function wantedNames(names: readonly string[], state: TypeState): readonly string[] {
  if (names.length > 0) state.named = true;
  return names.length > 0 || state.named || state.rule.wildcard === false ? names : ["*"];
}

/**
 * What a response of a type with a wildcard lacks is gone, so that it holds all that is wanted. Of other types it holds
 * what changed or was asked for; clients drop by themselves what nothing refers to any more.
 */
function compose(
  { added, gone }: Changes,
  { rule, subscription }: TypeState,
  must: boolean,
): Content | undefined {
  const isWhole = rule.wildcard !== false;
  const hasNews = must || added.length > 0 || (isWhole && gone.length > 0);
  if (!hasNews) return undefined;
  return { resources: isWhole ? [...subscription.held()] : added, removed: [] };
}

/** Of the state of the world. A request with another nonce than the last one sent is left alone. */
export function sotwCodec(encoder: ResourceEncoder): Codec {
  const encode = (parts: ResponseParts): Buffer => encodeSotw(parts, encoder);
  const shared = new SharedResponses(encode);
  return {
    variant: "sotw",
    supersedes: true,
    compose,
    repeatAfter: (state, names, first) => {
      // A client that comes again asks for what follows by itself, in a request that looks like an ack.
      if (first) state.answersNext = true;
      else state.subscription.repeat(names);
    },
    encode,
    encodeShared: (content, newNonce) => shared.of(content, newNonce),
  };
}
