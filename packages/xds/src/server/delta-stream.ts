import type { Node } from "@envoyproxy/xds-protos/envoy/config/core/v3/base_pb.js";
import type { DeltaDiscoveryRequest } from "@envoyproxy/xds-protos/envoy/service/discovery/v3/discovery_pb.js";
import type { Resource, ResourceSnapshot } from "@keelson/protos";
import { type ResourceEncoder, encodeResponse } from "./encoding.ts";
import type { XdsEvent } from "./events.ts";
import { checkLimit, LimitError, type ServerLimits } from "./limits.ts";
import { type Difference, Subscription } from "./subscription.ts";

/** Longest text of a nack that is kept, in characters. */
const nackTextLength = 4_096;

export interface StreamContext {
  readonly typeOrder: readonly string[];
  readonly limits: ServerLimits;
  readonly encoder: ResourceEncoder;
  readonly snapshot: () => ResourceSnapshot;
  readonly send: (response: Buffer) => void;
  readonly onEvent: (event: XdsEvent) => void;
  readonly peer: string;
}

interface InFlight {
  readonly typeUrl: string;
  readonly version: string;
  readonly difference: Difference;
}

interface Planned {
  readonly typeUrl: string;
  readonly added: readonly Resource[];
  readonly removed: readonly string[];
}

/**
 * The server's side of one delta ADS stream. One push is in flight at a time: until every response of it is acked
 * or nacked, newer snapshots wait, and the latest wins. So a slow reader costs one push of memory, and a client
 * never sees what refers to a resource before that resource.
 */
export class DeltaStream {
  readonly connectedAt = new Date();
  readonly subscriptions = new Map<string, Subscription>();
  node: Node | undefined;
  /** Since when responses wait for an answer. */
  pendingSince: Date | undefined;
  private readonly context: StreamContext;
  private readonly inFlight = new Map<string, InFlight>();
  private responses = 0;

  constructor(context: StreamContext) {
    this.context = context;
  }

  /** metadata "NODE_NAME" of the first request; scoping goes by it. */
  get nodeName(): string {
    const value = this.node?.metadata?.["NODE_NAME"];
    return typeof value === "string" ? value : "";
  }

  get label(): string {
    return this.nodeName || this.node?.id || this.context.peer;
  }

  /** @throws LimitError if the peer asks for more than it may. */
  onRequest(request: DeltaDiscoveryRequest): void {
    this.introduce(request);
    if (request.typeUrl === "") throw new LimitError("a request names no type_url");
    const first = !this.subscriptions.has(request.typeUrl);
    const subscription = this.subscriptionOf(request.typeUrl);
    if (first) this.open(subscription, request);
    this.answer(subscription, request);
    subscription.subscribe(request.resourceNamesSubscribe);
    subscription.unsubscribe(request.resourceNamesUnsubscribe);
    checkLimit(`names of ${request.typeUrl}`, subscription.names.size, this.context.limits.namesPerType);
    this.push();
  }

  /** Sends what the client lacks of the current snapshot, unless a push is still in flight. */
  push(): void {
    if (this.inFlight.size > 0) return;
    const snapshot = this.context.snapshot();
    for (const planned of this.plan(snapshot)) this.respond(planned, snapshot.version.toString());
    this.pendingSince = this.inFlight.size > 0 ? new Date() : undefined;
  }

  private introduce(request: DeltaDiscoveryRequest): void {
    if (this.node !== undefined || request.node === undefined) return;
    this.node = request.node;
    const bytes = Buffer.byteLength(request.node.id) + Buffer.byteLength(this.nodeName);
    checkLimit("bytes of the node's id and name", bytes, this.context.limits.nodeNameBytes);
    this.context.onEvent({ kind: "connected", node: this.label, peer: this.context.peer });
  }

  private subscriptionOf(typeUrl: string): Subscription {
    const known = this.subscriptions.get(typeUrl);
    if (known !== undefined) return known;
    checkLimit("types on one stream", this.subscriptions.size + 1, this.context.limits.typesPerStream);
    const subscription = new Subscription();
    this.subscriptions.set(typeUrl, subscription);
    return subscription;
  }

  private open(subscription: Subscription, request: DeltaDiscoveryRequest): void {
    // A first request that names nothing is a wildcard, as it was before "*" could be said.
    if (request.resourceNamesSubscribe.length === 0) subscription.wildcard = true;
    const versions = request.initialResourceVersions;
    checkLimit(
      `initial_resource_versions of ${request.typeUrl}`,
      Object.keys(versions).length,
      this.context.limits.namesPerType,
    );
    subscription.resume(versions);
  }

  /** A nonce that is not in flight is stale: only the subscription changes of such a request count. */
  private answer(subscription: Subscription, request: DeltaDiscoveryRequest): void {
    const response = this.inFlight.get(request.responseNonce);
    if (response === undefined || response.typeUrl !== request.typeUrl) return;
    this.inFlight.delete(request.responseNonce);
    const { typeUrl, version, difference } = response;
    const { onEvent } = this.context;
    if (request.errorDetail === undefined) {
      subscription.acked(version, difference);
      onEvent({ kind: "ack", node: this.label, typeUrl, version });
      return;
    }
    const message = request.errorDetail.message.slice(0, nackTextLength);
    subscription.nacked({ version, message, at: new Date() }, difference);
    onEvent({ kind: "nack", node: this.label, typeUrl, version, message });
  }

  /** Make before break: what is new in the order of types, then what is gone in the reverse order. */
  private plan(snapshot: ResourceSnapshot): Planned[] {
    const additions: Planned[] = [];
    const removals: Planned[] = [];
    for (const typeUrl of this.orderedTypes()) {
      const subscription = this.subscriptionOf(typeUrl);
      const { added, removed } = subscription.difference(this.visible(snapshot, typeUrl));
      if (added.length > 0 || (subscription.owesResponse && removed.length === 0)) {
        additions.push({ typeUrl, added, removed: [] });
      }
      if (removed.length > 0) removals.unshift({ typeUrl, added: [], removed });
      subscription.owesResponse = false;
    }
    return [...additions, ...removals];
  }

  private orderedTypes(): string[] {
    const order = this.context.typeOrder;
    const others = [...this.subscriptions.keys()].filter((typeUrl) => !order.includes(typeUrl));
    return [...order.filter((typeUrl) => this.subscriptions.has(typeUrl)), ...others];
  }

  private visible(snapshot: ResourceSnapshot, typeUrl: string): ReadonlyMap<string, Resource> {
    const all = snapshot.resources.get(typeUrl) ?? new Map<string, Resource>();
    const node = this.nodeName;
    const mine = ({ node: only }: Resource): boolean => only === undefined || only === node;
    for (const resource of all.values()) {
      if (!mine(resource)) return new Map([...all].filter(([, candidate]) => mine(candidate)));
    }
    return all;
  }

  private respond({ typeUrl, added, removed }: Planned, version: string): void {
    this.responses += 1;
    const nonce = this.responses.toString();
    const response = encodeResponse(
      { typeUrl, systemVersion: version, nonce, added, removed },
      this.context.encoder,
    );
    this.inFlight.set(nonce, { typeUrl, version, difference: { added, removed } });
    this.subscriptionOf(typeUrl).sentVersion = version;
    this.context.send(response);
    this.context.onEvent({
      kind: "push",
      node: this.label,
      typeUrl,
      version,
      added: added.length,
      removed: removed.length,
      bytes: response.length,
    });
  }
}
