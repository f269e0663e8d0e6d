// Faults in our own server that the cases must find. Each is one line of the built server, replaced when it is loaded.

export interface Fault {
  readonly name: string;
  /** Of packages/xds/dist. */
  readonly file: string;
  /** As it stands there once, without the space around it. */
  readonly line: string;
  readonly replacement: string;
  /** Cases of which each must fail, in one of its variants at least. */
  readonly caughtBy: readonly string[];
}

export const faults: readonly Fault[] = [
  {
    name: "a stale nonce is accepted",
    file: "server/sotw-codec.js",
    line: "if (nonce !== known.sentNonce)",
    replacement: "if (false)",
    caughtBy: ["stale-nonce-is-ignored", "unknown-nonce-is-ignored"],
  },
  {
    name: "a removed resource is forgotten",
    file: "server/delta-codec.js",
    line: "const removed = [...missing, ...gone];",
    replacement: "const removed = [...missing];",
    caughtBy: ["cluster-that-is-gone-is-removed", "held-cluster-that-is-gone-is-removed"],
  },
  {
    name: "a response that lacks what is gone is not sent",
    file: "server/sotw-codec.js",
    line: "const hasNews = must || added.length > 0 || (isWhole && gone.length > 0);",
    replacement: "const hasNews = must || added.length > 0;",
    caughtBy: ["cluster-that-is-gone-is-removed", "listener-that-is-gone-is-removed"],
  },
  {
    name: "a name that was given up is still sent",
    file: "server/subscription.js",
    line: "else if (this.names.delete(name) && this.wildcard)",
    replacement: "else if (this.names.has(name) && this.wildcard)",
    caughtBy: ["given-up-name-is-not-pushed", "type-that-was-given-up-is-not-pushed"],
  },
  {
    name: "a rejection is answered with the same again",
    file: "server/exchange.js",
    line: "type.subscription.nacked({ version, message, at: new Date() }, namesOf(changes));",
    replacement:
      "type.subscription.nacked({ version, message, at: new Date() }, namesOf(changes)); type.subscription.repeat(); type.asked = type.due = true;",
    caughtBy: ["nack-is-not-answered"],
  },
  {
    name: "an ack is answered",
    file: "server/sotw-codec.js",
    line: "if (more || repeats)",
    replacement: "if (true)",
    caughtBy: ["ack-is-not-answered", "fewer-names-are-not-answered"],
  },
  {
    name: "endpoints are not sent again after clusters",
    file: "server/ads-stream.js",
    line: "if (follower === undefined || added.length === 0)",
    replacement: "if (true)",
    caughtBy: [
      "endpoints-are-answered-again-after-clusters",
      "endpoints-are-sent-again-after-clusters",
      "endpoints-follow-a-cluster-that-changed",
    ],
  },
  {
    name: "endpoints are sent before clusters",
    file: "server/ads-stream.js",
    line: "const place = ({ rule }) => types.placeOf(rule.typeUrl);",
    replacement: "const place = ({ rule }) => -types.placeOf(rule.typeUrl);",
    caughtBy: ["push-comes-in-the-order-of-types"],
  },
  {
    name: "a cluster is removed before its route",
    file: "server/ads-stream.js",
    line: "tell(type, withRemovals = false) {",
    replacement: "tell(type, withRemovals = true) {",
    caughtBy: ["cluster-goes-after-its-route"],
  },
  {
    name: "initial_resource_versions are ignored",
    file: "server/subscription.js",
    line: "const held = Object.entries(initialVersions);",
    replacement: "const held = [];",
    caughtBy: ["held-names-are-subscribed-to", "held-cluster-that-is-gone-is-removed"],
  },
  {
    name: "a request waits until a push is acked",
    file: "server/ads-stream.js",
    line: "this.answerRequests();",
    replacement: "if (!this.inFlight.blocksPush) this.answerRequests();",
    caughtBy: ["request-is-answered-while-a-push-waits-for-acks"],
  },
  {
    name: "each change is sent at once",
    file: "server/debouncer.js",
    line: "this.timer = setTimeout(() => this.flush(), Math.max(0, Math.min(this.debounce.quietMs, left)));",
    replacement: "this.flush();",
    caughtBy: [
      "endpoints-that-change-quickly-are-sent-together",
      "services-that-change-quickly-are-sent-together",
    ],
  },
  {
    name: "a nonce is used twice",
    file: "server/epoch.js",
    line: 'export const nonceOf = (epoch, { versionForm }, count) => versionForm === "time" ? `${epoch.time}${randomUUID()}` : count.toString();',
    replacement: "export const nonceOf = (epoch) => epoch.time;",
    caughtBy: ["more-names-bring-these-alone", "nonce-is-the-version-and-a-uuid"],
  },
];
