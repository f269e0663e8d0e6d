import type { DiscoveryRequest } from "@envoyproxy/xds-protos/envoy/service/discovery/v3/discovery_pb.js";
import type { AdsRequest } from "./ads-request.ts";
import type { Codec, Content } from "./codec.ts";
import { encodeSotw, type ResourceEncoder } from "./encoding.ts";
import type { Changes } from "./subscription.ts";
import type { TypeRule } from "./type-rules.ts";
import { TypeState } from "./type-state.ts";

export const sotwRequest = (message: DiscoveryRequest): AdsRequest => ({
  node: message.node,
  typeUrl: message.typeUrl,
  nonce: message.responseNonce,
  error: message.errorDetail?.message,
  names: message.resourceNames,
  initialVersions: {},
  follow: (known, rule) => follow(message, known, rule),
});

function follow(
  request: DiscoveryRequest,
  known: TypeState | undefined,
  rule: TypeRule,
): TypeState | undefined {
  const names = wantedNames(request.resourceNames, known, rule);
  if (names.length === 0) return undefined;
  if (known === undefined || request.responseNonce === "") {
    // What is rejected here was sent on an earlier stream.
    if (request.errorDetail !== undefined && known === undefined) return undefined;
    const opened = new TypeState(rule);
    opened.subscription.replace(names);
    return opened;
  }
  if (request.responseNonce !== known.sentNonce) return known;
  const asksForMore = known.subscription.replace(names);
  if (known.answersNext && request.errorDetail === undefined) {
    known.answersNext = false;
    known.subscription.repeat();
    known.asked = known.due = true;
  }
  if (asksForMore) known.asked = known.due = true;
  return known;
}

/** Nothing is everything for a type with a wildcard, unless it was asked for by name before. */
function wantedNames(
  names: readonly string[],
  known: TypeState | undefined,
  { wildcard }: TypeRule,
): readonly string[] {
  if (names.length > 0 || wildcard === false) return names;
  return known === undefined || known.subscription.isWildcard ? ["*"] : [];
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
export const sotwCodec = (encoder: ResourceEncoder): Codec => ({
  variant: "sotw",
  supersedes: true,
  compose,
  repeatAfter: (state, names, first) => {
    // A client that comes again asks for what follows by itself, in a request that looks like an ack.
    if (first) state.answersNext = true;
    else state.subscription.repeat(names);
  },
  encode: (parts) => encodeSotw(parts, encoder),
});
