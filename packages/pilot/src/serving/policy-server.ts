import type * as grpc from "@grpc/grpc-js";
import { policyTypeUrls } from "@keelson/protos";
import {
  type ConnectionView,
  defaultLimits,
  type OnDemandAnswer,
  type PeerNode,
  rulesInOrder,
  type ServerLimits,
  type XdsEvent,
  XdsServer,
} from "@keelson/xds";
import {
  envoyTypeRules,
  isApplier,
  isProxyless,
  keptProxyMetadata,
  type PolicySnapshot,
  PolicyViews,
} from "@keelson/xds/proxies";
import { admitBy } from "../auth/admission.ts";
import type { Caller } from "../auth/authenticator.ts";
import type { PeerGuard } from "../auth/peer-guard.ts";
import { onlyEndpointsDiffer } from "../config/snapshots.ts";
import type { PushSettings } from "../settings/push-settings.ts";

export interface PolicyServerOptions {
  readonly push: PushSettings;
  readonly onEvent: (event: XdsEvent) => void;
  readonly limits?: Partial<ServerLimits>;
  /** Told of each secret that a proxy asks for and does not get. */
  readonly onSecretWithheld: (node: PeerNode, name: string, why: string) => void;
  /**
   * Answers types that no snapshot has.
   * @param caller undefined if nobody vouches for it
   */
  readonly onDemand: (
    typeUrl: string,
    names: readonly string[],
    caller: Caller | undefined,
  ) => OnDemandAnswer | undefined;
}

/** Serves snapshots of the policy to kernel nodes and to proxies, on any number of gRPC servers. */
export class PolicyServer {
  private readonly xds: XdsServer<PolicySnapshot>;
  private readonly endpointsWait: boolean;
  private readonly makeViews: () => PolicyViews;
  private views: PolicyViews;
  private snapshot: PolicySnapshot | undefined;
  /** Who is behind a node's message, where somebody vouches for it. */
  private readonly callers = new WeakMap<PeerNode["message"], Caller>();

  constructor({ onEvent, onDemand, onSecretWithheld, push, limits }: PolicyServerOptions) {
    const namespaceOf = ({ message }: PeerNode): string | undefined =>
      this.callers.get(message)?.identity.namespace;
    this.makeViews = () => new PolicyViews({ namespaceOf, onWithheld: onSecretWithheld });
    this.views = this.makeViews();
    this.endpointsWait = push.endpointsWait;
    this.xds = new XdsServer({
      types: [...rulesInOrder(Object.values(policyTypeUrls)), ...envoyTypeRules],
      viewOf: (node, snapshot) => this.views.viewOf(node, snapshot),
      onDemand: (typeUrl, names, node) => onDemand(typeUrl, names, node && this.callers.get(node.message)),
      keptMetadata: keptProxyMetadata,
      debounce: push.debounce,
      isUrgent: isApplier,
      answersInFull: isProxyless,
      refusesUntilReady: true,
      limits: {
        streamsPerSecond: push.streamsPerSecond,
        pushSlice: { ...defaultLimits.pushSlice, items: push.pushesAtOnce },
        ...limits,
      },
      onEvent,
    });
  }

  /** Adds it to a gRPC server. @param guard who may ask for it there */
  register(server: grpc.Server, guard: PeerGuard): void {
    const admit = admitBy<PeerNode>(guard, ({ message }, caller) => this.callers.set(message, caller));
    this.xds.register(server, async (call, node) => {
      const admission = await admit(call, node);
      const readable = this.views.check(node);
      return admission.admitted && !readable.admitted ? readable : admission;
    });
  }

  /** Makes `snapshot` the one that all are brought to. */
  set(snapshot: PolicySnapshot): void {
    const before = this.snapshot;
    this.snapshot = snapshot;
    const now = !this.endpointsWait && before !== undefined && onlyEndpointsDiffer(before.ir, snapshot.ir);
    this.xds.setSnapshot(snapshot, now);
  }

  /** Sends what is newest to all that lack any of it. */
  push(): void {
    if (this.snapshot !== undefined) this.xds.setSnapshot(this.snapshot, true);
  }

  /** Makes what proxies get of the newest snapshot anew. */
  clearCache(): void {
    this.views = this.makeViews();
    this.push();
  }

  /** Version of Istio that nodes tell, "" for none → how many streams have told such a node. */
  sizes(): ReadonlyMap<string, number> {
    const sizes = new Map<string, number>();
    for (const { node } of this.xds.nodes()) {
      const told = node.metadata?.["ISTIO_VERSION"];
      const version = typeof told === "string" ? told : "";
      sizes.set(version, (sizes.get(version) ?? 0) + 1);
    }
    return sizes;
  }

  /** Whether there are as many streams as there may be. */
  get isFull(): boolean {
    return this.xds.isFull;
  }

  /** Of the newest snapshot, as proxies are told it; "" before the first. */
  get pushVersion(): string {
    return this.xds.pushVersion;
  }

  /** Every stream that has told its node, sorted by name. */
  nodes(): ReturnType<XdsServer["nodes"]> {
    return this.xds.nodes();
  }

  /** The same, with all that can be looked at; in no order. */
  connections(): ConnectionView[] {
    return this.xds.views();
  }

  disconnect(number: number): void {
    this.xds.disconnect(number);
  }

  /** Ends all streams with UNAVAILABLE, and every later one. */
  close(): void {
    this.xds.close();
  }
}
