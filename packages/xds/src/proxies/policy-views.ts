import type { Credentials } from "@keelson/model";
import { applierIdPrefix } from "@keelson/model/names";
import type { PolicyIr, Resource, ResourceSnapshot } from "@keelson/protos";
import { EnvoyGenerator } from "../envoy/generator.ts";
import { type ProxyNode, ProxyNodeError, parseProxyNode } from "../envoy/proxy-node.ts";
import { Standings } from "../envoy/state/standings.ts";
import { envoyTypeUrls } from "../envoy/type-urls.ts";
import { GrpcGenerator } from "../grpc/generator.ts";
import { type SecretInputs, SecretViews, type SecretViewsOptions } from "../secrets/secret-views.ts";
import type { Admission } from "../server/admission.ts";
import { NodeViews } from "../server/node-views.ts";
import type { PeerNode } from "../server/peer-node.ts";
import type { Resources, View } from "../server/view.ts";

/** What kernel nodes get as resources, and proxies from the policy IR. */
export interface PolicySnapshot extends ResourceSnapshot {
  readonly ir: PolicyIr;
  /** Beside the policy: they go to who asks for them and may have them, and nowhere else. */
  readonly credentials: Credentials;
}

/** Whether it is a kernel node's applier. */
export const isApplier = ({ id }: PeerNode): boolean => id.startsWith(applierIdPrefix);

/** Whether it is a gRPC library, which needs no proxy; for it the state of the world is answered in full, as in istiod. */
export const isProxyless = ({ message }: PeerNode): boolean => message.metadata?.["GENERATOR"] === "grpc";

const { secret: secretTypeUrl, ...fromIr } = envoyTypeUrls;
/** Types that are made from the policy IR alone. */
const proxyTypes: ReadonlySet<string> = new Set(Object.values(fromIr));

/** What each peer gets of a snapshot: the policy's own types as a kernel node, Envoy's types as a proxy. */
export class PolicyViews {
  private readonly nodes = new NodeViews();
  private readonly standings = new Standings();
  private readonly envoys = new EnvoyGenerator(this.standings);
  private readonly grpc = new GrpcGenerator(this.standings);
  private readonly secrets: SecretViews;
  private readonly proxies = new WeakMap<PeerNode, ProxyNode>();
  /** The last of each peer. */
  private readonly views = new WeakMap<PeerNode, PolicyView>();
  /** What proxies get is made from; it only goes forward, as each step back would make everything anew. */
  private newest: PolicySnapshot | undefined;

  constructor(secrets: SecretViewsOptions) {
    this.secrets = new SecretViews(secrets);
  }

  /** Whether a peer's node can be read at all. */
  check(node: PeerNode | undefined): Admission {
    if (node === undefined || node.id === "") return refused("the first request of a stream has no node id");
    if (isApplier(node)) return { admitted: true };
    try {
      this.proxyOf(node);
      return { admitted: true };
    } catch (error) {
      if (error instanceof ProxyNodeError) return refused(error.message);
      throw error;
    }
  }

  /** @param node one that was checked. @returns the same view as before if nothing of what it was asked for differs */
  viewOf(node: PeerNode | undefined, snapshot: PolicySnapshot): View {
    if (node === undefined) return this.nodes.viewOf("", snapshot);
    const before = this.views.get(node);
    if (before?.isRightFor(snapshot) === true) return before;
    const view = new PolicyView(snapshot, before?.parts ?? this.partsOf(node));
    this.views.set(node, view);
    return view;
  }

  private partsOf(node: PeerNode): Parts {
    return {
      list: (typeUrl, snapshot) =>
        typeUrl === secretTypeUrl
          ? this.secrets.list(node, this.secretInputs(node, snapshot))
          : this.nodes.viewOf(node.name, snapshot).resources(typeUrl),
      proxy: this.proxyViews(node),
      secret: (name, snapshot) => this.secrets.find(node, name, this.secretInputs(node, snapshot)),
    };
  }

  private secretInputs(node: PeerNode, snapshot: PolicySnapshot): SecretInputs {
    return {
      credentials: snapshot.credentials,
      gateways: () =>
        isApplier(node) ? [] : this.envoys.gatewaysOf(this.newestIr(snapshot), this.proxyOf(node)),
    };
  }

  /** Asked for every proxy after every change: what never changes of it is found out once. */
  private proxyViews(node: PeerNode): Parts["proxy"] {
    const generator = isProxyless(node) ? this.grpc : this.envoys;
    let proxy: ProxyNode | undefined;
    return (snapshot) => generator.view(this.newestIr(snapshot), (proxy ??= this.proxyOf(node)));
  }

  private newestIr(snapshot: PolicySnapshot): PolicyIr {
    if (this.newest === undefined || this.newest.version < snapshot.version) this.newest = snapshot;
    return this.newest.ir;
  }

  private proxyOf(node: PeerNode): ProxyNode {
    const proxy = this.proxies.get(node) ?? parseProxyNode(node.message);
    this.proxies.set(node, proxy);
    return proxy;
  }
}

const refused = (reason: string): Admission => ({ admitted: false, code: "INVALID_ARGUMENT", reason });

/** What a view is made of; both give the same objects as before where nothing changed. */
interface Parts {
  /** Any other type. */
  list(typeUrl: string, snapshot: PolicySnapshot): Resources;
  /** Types that are made from the policy IR alone. */
  proxy(snapshot: PolicySnapshot): View;
  secret(name: string, snapshot: PolicySnapshot): Resource | undefined;
}

/** Finds out what the peer gets as a kernel node, and as a proxy, when it asks as one. */
class PolicyView implements View {
  readonly parts: Parts;
  private snapshot: PolicySnapshot;
  /** What it was asked for so far; undefined: nothing yet, as by proxies that get no secrets. */
  private lists: Map<string, Resources> | undefined;
  private proxy: View | undefined;

  constructor(snapshot: PolicySnapshot, parts: Parts) {
    this.snapshot = snapshot;
    this.parts = parts;
  }

  /** Whether all that was asked for is the same in a newer snapshot; what is asked for later is of that one, then. */
  isRightFor(snapshot: PolicySnapshot): boolean {
    if (snapshot.version < this.snapshot.version) return false;
    if (this.lists !== undefined && !this.areRightFor(this.lists, snapshot)) return false;
    if (this.proxy !== undefined && this.parts.proxy(snapshot) !== this.proxy) return false;
    this.snapshot = snapshot;
    return true;
  }

  resources(typeUrl: string): Resources {
    if (proxyTypes.has(typeUrl)) return this.asProxy().resources(typeUrl);
    this.lists ??= new Map();
    const list = this.lists.get(typeUrl) ?? this.parts.list(typeUrl, this.snapshot);
    this.lists.set(typeUrl, list);
    return list;
  }

  private areRightFor(lists: ReadonlyMap<string, Resources>, snapshot: PolicySnapshot): boolean {
    for (const [typeUrl, list] of lists) if (this.parts.list(typeUrl, snapshot) !== list) return false;
    return true;
  }

  lookup(typeUrl: string, name: string): Resource | undefined {
    if (typeUrl === secretTypeUrl) return this.parts.secret(name, this.snapshot);
    return proxyTypes.has(typeUrl) ? this.asProxy().lookup?.(typeUrl, name) : undefined;
  }

  private asProxy(): View {
    return (this.proxy ??= this.parts.proxy(this.snapshot));
  }
}
