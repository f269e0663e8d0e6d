import type { DeltaDiscoveryRequest } from "@envoyproxy/xds-protos/envoy/service/discovery/v3/discovery_pb.js";
import type { AdsRequest } from "./ads-request.ts";
import type { Codec, Content } from "./codec.ts";
import { encodeDelta, type ResourceEncoder } from "./encoding.ts";
import type { Changes } from "./subscription.ts";
import type { TypeRule } from "./type-rules.ts";
import { TypeState } from "./type-state.ts";

export const deltaRequest = (message: DeltaDiscoveryRequest): AdsRequest => ({
  node: message.node,
  typeUrl: message.typeUrl,
  nonce: message.responseNonce,
  error: message.errorDetail?.message,
  names: [...message.resourceNamesSubscribe, ...message.resourceNamesUnsubscribe],
  initialVersions: message.initialResourceVersions,
  follow: (known, rule) => follow(message, known, rule),
});

function follow(message: DeltaDiscoveryRequest, known: TypeState | undefined, rule: TypeRule): TypeState {
  const {
    resourceNamesSubscribe: subscribe,
    resourceNamesUnsubscribe: unsubscribe,
    initialResourceVersions: initialVersions,
  } = message;
  if (known === undefined) {
    const opened = new TypeState(rule);
    opened.subscription.open({ subscribe, unsubscribe, initialVersions });
    return opened;
  }
  if (subscribe.length === 0 && unsubscribe.length === 0) return known;
  known.subscription.subscribe(subscribe);
  known.subscription.unsubscribe(unsubscribe);
  known.asked = true;
  return known;
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
export const deltaCodec = (encoder: ResourceEncoder): Codec => ({
  variant: "delta",
  supersedes: false,
  compose,
  repeatAfter: ({ subscription }, names) => subscription.repeat(names),
  encode: (parts) => encodeDelta(parts, encoder),
});
