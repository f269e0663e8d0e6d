import type { Node } from "@envoyproxy/xds-protos/envoy/config/core/v3/base_pb.js";
import type { DeltaDiscoveryRequest } from "@envoyproxy/xds-protos/envoy/service/discovery/v3/discovery_pb.js";
import type { Resource, ResourceSnapshot } from "@keelson/protos";
import { encodeResponse, type ResourceEncoder } from "./encoding.ts";
import type { XdsEvent } from "./events.ts";
import { checkBytes, checkLimit, type ServerLimits } from "./limits.ts";
import { Refusal } from "./refusal.ts";
import { Subscription } from "./subscription.ts";

/** Longest text of a nack that is kept, in characters. */
const nackTextLength = 4_096;

export interface StreamContext {
  readonly typeOrder: readonly string[];
  readonly limits: ServerLimits;
  readonly encoder: ResourceEncoder;
  /** Undefined until the server has something to serve; requests wait until then. */
  readonly snapshot: () => ResourceSnapshot | undefined;
  readonly send: (response: Buffer) => void;
  readonly onEvent: (event: XdsEvent) => void;
  readonly peer: string;
}

/** What is kept of a peer's Node message. */
export interface PeerNode {
  readonly id: string;
  /** metadata "NODE_NAME"; "" if it was not told. Scoping goes by it. */
  readonly name: string;
}

interface Planned {
  readonly typeUrl: string;
  readonly added: readonly Resource[];
  readonly removed: readonly string[];
}

interface InFlight {
  readonly typeUrl: string;
  readonly version: string;
  readonly added: readonly string[];
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
  node: PeerNode | undefined;
  /** Since when responses wait for an answer. */
  pendingSince: Date | undefined;
  private readonly context: StreamContext;
  private readonly inFlight = new Map<string, InFlight>();
  /** Whether there may be something to tell. */
  private behind = false;
  private responses = 0;

  constructor(context: StreamContext) {
    this.context = context;
  }

  get label(): string {
    return this.node?.name || this.node?.id || this.context.peer;
  }

  /** @throws Refusal, if the peer asks for more than it may, or for nothing that can be understood. */
  onRequest(request: DeltaDiscoveryRequest): void {
    this.check(request);
    this.introduce(request.node);
    const subscription = this.subscriptions.get(request.typeUrl);
    if (subscription === undefined) this.open(request);
    else this.follow(subscription, request);
    this.push();
  }

  /** Brings the client to the newest snapshot, at once or after the push in flight. */
  onSnapshot(): void {
    this.behind = true;
    this.push();
  }

  private check(request: DeltaDiscoveryRequest): void {
    const { namesPerType, nameBytes } = this.context.limits;
    const { typeUrl, resourceNamesSubscribe, resourceNamesUnsubscribe, initialResourceVersions } = request;
    if (typeUrl === "") throw Refusal.malformed("a request names no type_url");
    checkBytes("a type_url", [typeUrl], nameBytes);
    checkBytes(`a name of ${typeUrl}`, resourceNamesSubscribe, nameBytes);
    checkBytes(`a name of ${typeUrl}`, resourceNamesUnsubscribe, nameBytes);
    const versions = Object.entries(initialResourceVersions);
    checkLimit(`initial_resource_versions of ${typeUrl}`, versions.length, namesPerType);
    checkBytes(`initial_resource_versions of ${typeUrl}`, versions.flat(), nameBytes);
  }

  /** Only the first request of a stream has to carry the node; it never changes. */
  private introduce(node: Node | undefined): void {
    if (this.node !== undefined || node === undefined) return;
    const name = node.metadata?.["NODE_NAME"];
    const told = { id: node.id, name: typeof name === "string" ? name : "" };
    checkBytes("the node's id or NODE_NAME", [told.id, told.name], this.context.limits.nameBytes);
    this.node = told;
    this.context.onEvent({ kind: "connected", node: this.label, peer: this.context.peer });
  }

  private open({ typeUrl, ...request }: DeltaDiscoveryRequest): void {
    checkLimit("types on one stream", this.subscriptions.size + 1, this.context.limits.typesPerStream);
    const subscription = new Subscription();
    this.subscriptions.set(typeUrl, subscription);
    subscription.open({
      subscribe: request.resourceNamesSubscribe,
      unsubscribe: request.resourceNamesUnsubscribe,
      initialVersions: request.initialResourceVersions,
    });
    this.checkNames(typeUrl, subscription);
    this.behind = true;
  }

  private follow(subscription: Subscription, request: DeltaDiscoveryRequest): void {
    this.answer(subscription, request);
    const { typeUrl, resourceNamesSubscribe, resourceNamesUnsubscribe } = request;
    if (resourceNamesSubscribe.length === 0 && resourceNamesUnsubscribe.length === 0) return;
    subscription.subscribe(resourceNamesSubscribe);
    subscription.unsubscribe(resourceNamesUnsubscribe);
    this.checkNames(typeUrl, subscription);
    this.behind = true;
  }

  private checkNames(typeUrl: string, subscription: Subscription): void {
    checkLimit(`names of ${typeUrl}`, subscription.size, this.context.limits.namesPerType);
  }

  /** A nonce that is not in flight is stale: only the subscription changes of such a request count. */
  private answer(subscription: Subscription, request: DeltaDiscoveryRequest): void {
    const response = this.inFlight.get(request.responseNonce);
    if (response === undefined || response.typeUrl !== request.typeUrl) return;
    this.inFlight.delete(request.responseNonce);
    if (this.inFlight.size === 0) this.pendingSince = undefined;
    const { typeUrl, version, added, removed } = response;
    if (subscription.mayHold(added)) this.behind = true;
    const names = [...added, ...removed];
    const { onEvent } = this.context;
    if (request.errorDetail === undefined) {
      subscription.acked(version, names);
      onEvent({ kind: "ack", node: this.label, typeUrl, version });
      return;
    }
    const message = request.errorDetail.message.slice(0, nackTextLength);
    subscription.nacked({ version, message, at: new Date() }, names);
    onEvent({ kind: "nack", node: this.label, typeUrl, version, message });
  }

  private push(): void {
    if (!this.behind || this.inFlight.size > 0) return;
    const snapshot = this.context.snapshot();
    if (snapshot === undefined) return;
    this.behind = false;
    for (const planned of this.plan(snapshot)) this.respond(planned, snapshot.version.toString());
    if (this.inFlight.size > 0) this.pendingSince = new Date();
  }

  /**
   * Make before break: what is new in the order of types, then what is gone in the reverse order. Beside the first answer
   * of a type nothing is removed: on a new stream the types are asked for one by one, and what a type still refers to
   * must stay until the client has heard what replaces it.
   */
  private plan(snapshot: ResourceSnapshot): Planned[] {
    const additions: Planned[] = [];
    const removals: Planned[] = [];
    const settled = [...this.subscriptions.values()].every(({ isAnswered }) => isAnswered);
    for (const [typeUrl, subscription] of this.inOrder()) {
      const isFirst = !subscription.isAnswered;
      const { added, missing, gone } = subscription.advance(this.visible(snapshot, typeUrl), settled);
      if (isFirst || added.length > 0 || missing.length > 0)
        additions.push({ typeUrl, added, removed: missing });
      if (gone.length > 0) removals.unshift({ typeUrl, added: [], removed: gone });
    }
    if (!settled) this.behind = true;
    return [...additions, ...removals];
  }

  private inOrder(): [string, Subscription][] {
    const order = this.context.typeOrder;
    const place = (typeUrl: string): number =>
      order.includes(typeUrl) ? order.indexOf(typeUrl) : order.length;
    return [...this.subscriptions].sort(([a], [b]) => place(a) - place(b));
  }

  private visible(snapshot: ResourceSnapshot, typeUrl: string): ReadonlyMap<string, Resource> {
    const all = snapshot.resources.get(typeUrl) ?? new Map<string, Resource>();
    const name = this.node?.name || undefined;
    const mine = ({ node: only }: Resource): boolean => only === undefined || only === name;
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
    this.inFlight.set(nonce, { typeUrl, version, added: added.map(({ name }) => name), removed });
    const subscription = this.subscriptions.get(typeUrl);
    if (subscription !== undefined) subscription.sentVersion = version;
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
