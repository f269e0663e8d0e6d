import type { DeltaDiscoveryRequest } from "@envoyproxy/xds-protos/envoy/service/discovery/v3/discovery_pb.js";
import type { AdsRequest } from "./ads-request.ts";
import type { Changes } from "./changes.ts";
import type { Codec, Content } from "./codec.ts";
import { encodeDelta, type ResourceEncoder, type ResponseParts } from "./encoding.ts";
import { SharedResponses } from "./shared-responses.ts";
import type { TypeState } from "./type-state.ts";

export const deltaRequest = (message: DeltaDiscoveryRequest): AdsRequest => ({
  node: message.node,
  typeUrl: message.typeUrl,
  nonce: message.responseNonce,
  error: message.errorDetail?.message,
  names: [...message.resourceNamesSubscribe, ...message.resourceNamesUnsubscribe],
  initialVersions: message.initialResourceVersions,
  follow: (known, open) => follow(message, known ?? open(), known === undefined),
});

function follow(message: DeltaDiscoveryRequest, state: TypeState, first: boolean): TypeState {
  const {
    resourceNamesSubscribe: subscribe,
    resourceNamesUnsubscribe: unsubscribe,
    initialResourceVersions: initialVersions,
  } = message;
  if (first) {
    state.subscription.open({ subscribe, unsubscribe, initialVersions });
    state.resumed = Object.keys(initialVersions).length > 0;
  } else if (subscribe.length > 0 || unsubscribe.length > 0) {
    state.subscription.subscribe(subscribe);
    state.subscription.unsubscribe(unsubscribe);
    state.asked = true;
  }
  return state;
}

function compose({ added, missing, gone }: Changes, { rule }: TypeState, must: boolean): Content | undefined {
  const removed = [...missing, ...gone];
  if (rule.neverRemoved === true) {
    const asked = must || missing.length > 0 || added.length > 0;
    return asked ? { resources: added, removed: [] } : undefined;
  }
  return must || added.length > 0 || removed.length > 0 ? { resources: added, removed } : undefined;
}

/** Of what changed: additions and removals. A nonce that is not expected acks nothing; what is wanted counts all the same. */
export function deltaCodec(encoder: ResourceEncoder): Codec {
  const encode = (parts: ResponseParts): Buffer => encodeDelta(parts, encoder);
  const shared = new SharedResponses(encode);
  return {
    variant: "delta",
    supersedes: false,
    compose,
    repeatAfter: ({ subscription }, names) => subscription.repeat(names),
    encode,
    encodeShared: (content, newNonce) => shared.of(content, newNonce),
  };
}
