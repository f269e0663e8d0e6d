import type { KubernetesObject } from "../world/objects.ts";
import type { ChangingScene, ConformanceCase, ConnectOptions, Stock } from "./case.ts";
import { isChanging } from "./case.ts";
import type { CaseResult } from "./outcome.ts";
import type { NodeInit, Variant } from "./peer/messages.ts";
import { Peer } from "./peer/peer.ts";
import { CaseWorld } from "./world/case-world.ts";

/** Streams that are shown of a case that failed, and lines of each, the last ones. */
const [shownStreams, shownLines] = [4, 16] as const;

export interface CasePlace {
  /** host:port */
  readonly address: string;
  readonly patienceMs: number;
  /** Of a node whose configuration does not change, and what it is served. */
  readonly still: { readonly node: NodeInit; readonly stock: Stock };
  /** Writes all objects of a changing case's namespace. */
  readonly write: (namespace: string, objects: readonly KubernetesObject[]) => Promise<void>;
}

/** Of a namespace that only this case changes, in this variant. */
export const namespaceOf = ({ name }: ConformanceCase, variant: Variant): string => `${name}-${variant}`;

/** A sidecar of a namespace. */
export const sidecarOf = (namespace: string): NodeInit => ({
  id: `sidecar~10.99.0.1~proxy.${namespace}~${namespace}.svc.cluster.local`,
  cluster: `proxy.${namespace}`,
  metadata: { NAMESPACE: namespace, CLUSTER_ID: "Kubernetes" },
});

/** Runs one case in one variant. */
export async function runCase(
  each: ConformanceCase,
  variant: Variant,
  place: CasePlace,
): Promise<CaseResult> {
  const start = performance.now();
  const peers: Peer[] = [];
  const result = (error?: Error): CaseResult => ({
    name: each.name,
    variant,
    error,
    transcript: error === undefined ? [] : transcriptOf(peers),
    ms: performance.now() - start,
  });
  try {
    await play(each, variant, place, peers);
    return result();
  } catch (error) {
    return result(error instanceof Error ? error : new Error(String(error)));
  } finally {
    for (const peer of peers) peer[Symbol.dispose]();
  }
}

async function play(
  each: ConformanceCase,
  variant: Variant,
  { address, patienceMs, still, write }: CasePlace,
  peers: Peer[],
): Promise<void> {
  const sceneOf = (node: NodeInit) => ({
    variant,
    address,
    node,
    connect: (options: ConnectOptions = {}): Peer => {
      const peer = new Peer({ address, patienceMs, variant, node, ...options });
      peers.push(peer);
      return peer;
    },
  });
  if (!isChanging(each)) {
    await each.run({ ...sceneOf(still.node), stock: still.stock });
    return;
  }
  const namespace = namespaceOf(each, variant);
  const scene: ChangingScene = {
    ...sceneOf(sidecarOf(namespace)),
    world: new CaseWorld(namespace),
    change: (...objects) => write(namespace, objects),
  };
  await each.run(scene);
}

function transcriptOf(peers: readonly Peer[]): string[] {
  const shown = peers.slice(-shownStreams);
  return shown.flatMap(({ variant, transcript }, index) => [
    `stream ${peers.length - shown.length + index + 1} of ${peers.length}, ${variant}:`,
    ...transcript.last(shownLines),
  ]);
}
