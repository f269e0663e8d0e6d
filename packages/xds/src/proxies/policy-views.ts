import { applierIdPrefix } from "@keelson/model/names";
import type { PolicyIr, Resource, ResourceSnapshot } from "@keelson/protos";
import { EnvoyGenerator } from "../envoy/generator.ts";
import { type ProxyNode, ProxyNodeError, parseProxyNode } from "../envoy/proxy-node.ts";
import { envoyTypeUrls } from "../envoy/type-urls.ts";
import type { Admission } from "../server/admission.ts";
import { NodeViews } from "../server/node-views.ts";
import type { PeerNode } from "../server/peer-node.ts";
import { noResources, type Resources, type View } from "../server/view.ts";

/** What kernel nodes get as resources, and proxies from the policy IR. */
export interface PolicySnapshot extends ResourceSnapshot {
  readonly ir: PolicyIr;
}

/** Whether it is a kernel node's applier. */
export const isApplier = ({ id }: PeerNode): boolean => id.startsWith(applierIdPrefix);

/** Whether it is a gRPC library, for which the state of the world is answered in full; as in istiod. */
export const isProxyless = ({ message }: PeerNode): boolean => message.metadata?.["GENERATOR"] === "grpc";

const proxyTypes: ReadonlySet<string> = new Set(Object.values(envoyTypeUrls));

/** What each peer gets of a snapshot: the policy's own types as a kernel node, Envoy's types as a proxy. */
export class PolicyViews {
  private readonly nodes = new NodeViews();
  private readonly generator = new EnvoyGenerator();
  private readonly proxies = new WeakMap<PeerNode, ProxyNode>();
  /** What proxies get is made from; it only goes forward, as each step back would make everything anew. */
  private newest: PolicySnapshot | undefined;

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

  /** @param node one that was checked */
  viewOf(node: PeerNode | undefined, snapshot: PolicySnapshot): View {
    return new PolicyView(this.nodes.viewOf(node?.name ?? "", snapshot), () =>
      node === undefined ? undefined : this.proxyView(node, snapshot),
    );
  }

  private proxyView(node: PeerNode, snapshot: PolicySnapshot): View {
    if (this.newest === undefined || this.newest.version < snapshot.version) this.newest = snapshot;
    return this.generator.view(this.newest.ir, this.proxyOf(node));
  }

  private proxyOf(node: PeerNode): ProxyNode {
    const proxy = this.proxies.get(node) ?? parseProxyNode(node.message);
    this.proxies.set(node, proxy);
    return proxy;
  }
}

const refused = (reason: string): Admission => ({ admitted: false, code: "INVALID_ARGUMENT", reason });

/** Finds out what the peer gets as a proxy when it asks as one. */
class PolicyView implements View {
  private readonly nodeView: View;
  private readonly makeProxyView: () => View | undefined;
  private proxyView: View | undefined;

  constructor(nodeView: View, makeProxyView: () => View | undefined) {
    this.nodeView = nodeView;
    this.makeProxyView = makeProxyView;
  }

  resources(typeUrl: string): Resources {
    if (!proxyTypes.has(typeUrl)) return this.nodeView.resources(typeUrl);
    return this.asProxy()?.resources(typeUrl) ?? noResources;
  }

  lookup(typeUrl: string, name: string): Resource | undefined {
    return proxyTypes.has(typeUrl) ? this.asProxy()?.lookup?.(typeUrl, name) : undefined;
  }

  private asProxy(): View | undefined {
    return (this.proxyView ??= this.makeProxyView());
  }
}
