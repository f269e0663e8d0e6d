// The rules of xDS that cases stand for, as istiod keeps them and as the protocol's documentation has them.

/** What a rule is about. Those from "push order" to "limits" are the rules by which istiod speaks. */
export const topics = [
  "push order",
  "state of the world",
  "version, nonce, warming",
  "delta",
  "partial pushes",
  "debounce",
  "limits",
  "service and node",
  "protocol",
] as const;

export type Topic = (typeof topics)[number];

interface Rule {
  readonly topic: Topic;
  readonly text: string;
}

const rule = (topic: Topic, text: string): Rule => ({ topic, text });

export const rules = {
  "order-of-types": rule("push order", "a push brings clusters, endpoints, listeners, routes, in this order"),
  "requests-first": rule("push order", "a request that waits is answered before a push goes on"),
  "make-before-break": rule("push order", "nothing that is referred to is removed, or is missing"),

  "sotw-nack": rule("state of the world", "a rejection is remembered and gets no answer"),
  "sotw-first": rule(
    "state of the world",
    "a first request, or one of a type that is not watched, is answered",
  ),
  "sotw-stale": rule("state of the world", "a request with another nonce than the one sent last is ignored"),
  "sotw-ack": rule("state of the world", "a request for the same names is an ack and gets no answer"),
  "sotw-fewer": rule("state of the world", "a request that only leaves out names gets no answer"),
  "sotw-more": rule("state of the world", "a request for more names gets those, and no others"),
  "sotw-more-grpc": rule("state of the world", "a gRPC client that asks for more names gets all of them"),
  "sotw-none": rule(
    "state of the world",
    "no names of a type without a wildcard end the subscription, unanswered",
  ),
  "sotw-whole": rule("state of the world", "a response of a type with a wildcard has all that is wanted"),

  "version-form": rule("version, nonce, warming", "a version is a time of RFC 3339, a slash and a counter"),
  "nonce-form": rule("version, nonce, warming", "a nonce is the version and a UUID"),
  "sotw-warming": rule(
    "version, nonce, warming",
    "after a new request for clusters the next one for endpoints is answered",
  ),

  "delta-first": rule("delta", "a request of a type that is not watched is answered as a first one"),
  "delta-held": rule("delta", "names in initial_resource_versions are subscribed to"),
  "delta-wildcard": rule(
    "delta",
    "a first request without names of a type with a wildcard, or one for *, wants everything",
  ),
  "delta-warming": rule("delta", "endpoints that are watched are sent again after a request for clusters"),
  "delta-removed": rule("delta", "removed_resources names what is gone"),
  "delta-ecds": rule("delta", "extensions are never removed"),
  "delta-unsubscribe": rule("delta", "an unsubscription gets no answer"),
  "delta-unversioned": rule("delta", "resources of Envoy's types have no version of their own"),

  "partial-endpoints": rule("partial pushes", "endpoints come for the services that changed, and alone"),
  "partial-clusters": rule("partial pushes", "clusters come by service in delta"),
  "partial-listeners-routes": rule(
    "partial pushes",
    "listeners and routes in delta are the difference to what was sent before",
  ),

  "debounce-quiet": rule("debounce", "changes that come one after the other are sent together"),
  "debounce-endpoints": rule("debounce", "changes of endpoints are, too"),
  "debounce-most": rule("debounce", "changes that do not end are sent all the same, after 10 s at most"),
  "debounce-latest": rule("debounce", "one push is in work at a time, and changes meanwhile are merged"),

  "limit-streams": rule(
    "limits",
    "more streams at once than there may be are refused by a status, and others are served",
  ),
  "limit-message": rule("limits", "a request of 4 MiB is taken, one that is over the limit ends its stream"),
  "limit-pings": rule("limits", "a client may ping every 15 s, and is pinged when it is silent"),

  "ads-only": rule("service and node", "only the aggregated service is served, in both variants"),
  "node-first": rule("service and node", "the first request says the node, and must; later ones need not"),
  "node-form": rule("service and node", "a node id has four parts and an address, or INSTANCE_IPS has one"),
  "health-first": rule("service and node", "a report of health before the first request is passed over"),
  "unknown-route": rule("service and node", "a route that there is not is answered by an empty one"),

  "per-type": rule("protocol", "versions, nonces and subscriptions are each type's own"),
  "per-stream": rule("protocol", "a stream knows nothing of the ones before it"),
  "nacked-changes": rule("protocol", "what was rejected is sent again when it changes, and not before"),
  unsubscribed: rule("protocol", "what is not wanted any more is not sent when it changes"),
  converges: rule("protocol", "after any changes a client has what there is, as a new one would"),
  "by-name": rule("protocol", "resources of a type with a wildcard can be asked for by name"),
  resubscribed: rule("protocol", "a name that is asked for once more is sent once more"),
  "unknown-name": rule(
    "protocol",
    "delta says of a name that there is not that it is removed, and brings it when it comes",
  ),
  malformed: rule("protocol", "what is no request, or of a type that there is not, harms no other"),
} as const satisfies Readonly<Record<string, Rule>>;

export type RuleId = keyof typeof rules;
