import assert from "node:assert/strict";
import { randomBytes, randomUUID } from "node:crypto";
import { join } from "node:path";
import { PinFolder } from "@keelson/bpf-applier";
import { BpfMap } from "bpf-maps-native";
import { ReviewsWorld } from "../scenarios/reviews-world.ts";
import type { Applier, PodStatus } from "../world/applier.ts";
import { makeCgroup } from "../world/cgroups.ts";
import { type PodDetails, podObject } from "../world/objects.ts";
import type { Pod } from "../world/pod.ts";
import type { TrafficResult } from "../world/traffic.ts";
import { until } from "../world/until.ts";
import type { World } from "../world/world.ts";
import { type KubeletLayout, layouts } from "./layouts.ts";

/** The Kubernetes namespace that the node's agent is told to leave alone. */
export const excludedNamespace = "outside";

/** Kubernetes' own way to say it is a static pod's mirror. */
const mirrorAnnotation = "kubernetes.io/config.mirror";

/** What callers see who are left alone: pods have no route but to each other. */
export const untouched = "ENETUNREACH";

export interface NewPod {
  readonly name: string;
  readonly layout: KubeletLayout;
  readonly details?: PodDetails;
  /** What the kubelet does with it so far: nothing but its network is there before its cgroup. */
  readonly cgroupLater?: boolean;
}

/** A node with a kubelet's tree of cgroups, and three versions of a service of which only the first gets connections. */
export class NodeWorld {
  readonly reviews: ReviewsWorld;

  private constructor(reviews: ReviewsWorld) {
    this.reviews = reviews;
  }

  static async open(name: string): Promise<NodeWorld> {
    const scale = { connections: 20, awayMs: 0, senders: 4 };
    const reviews = await ReviewsWorld.open(name, scale, { excludedNamespaces: [excludedNamespace] });
    const node = new NodeWorld(reviews);
    try {
      await node.startKubelets();
      await reviews.weights({ v1: 100 });
      return node;
    } catch (error) {
      await node.close();
      throw error;
    }
  }

  /** As kubelets do before any pod: they make the folders of all pods, here beside an agent that runs. */
  private async startKubelets(): Promise<void> {
    await Promise.all(layouts.map(({ pods }) => makeCgroup(join(this.applier.place.cgroup, pods))));
    const wanted = [...new Set(layouts.map(({ pods }) => `/${pods}`))].sort();
    await until(async () => String((await this.applier.status()).attachedTo) === String(wanted), {
      what: `programs to hang on ${wanted.join(", ")}`,
    });
  }

  get world(): World {
    return this.reviews.world;
  }

  get applier(): Applier {
    return this.world.applier();
  }

  close(): Promise<void> {
    return this.reviews.close();
  }

  startApplier(): Promise<Applier> {
    return this.world.startApplier(1, { excludedNamespaces: [excludedNamespace] });
  }

  /** Makes a pod that the control plane has not heard of. */
  async addPod({ name, layout, details = {}, cgroupLater = false }: NewPod): Promise<Pod> {
    const uid = layout.isStatic === true ? randomBytes(16).toString("hex") : randomUUID();
    const [pod] = await this.world.addPods({
      name,
      uid,
      cgroups: layout.cgroups,
      cgroupLater,
      ...(details.hostNetwork === true ? { hostNetwork: true } : {}),
    });
    assert.ok(pod);
    return pod;
  }

  /** Makes its object: of a static pod, that of its mirror. */
  async tell(pod: Pod, layout: KubeletLayout, details: PodDetails = {}): Promise<void> {
    const mirror =
      layout.isStatic === true
        ? { uid: randomUUID(), annotations: { ...details.annotations, [mirrorAnnotation]: pod.uid } }
        : {};
    await this.world.config.write(`pod-${pod.name}`, [podObject(pod, { ...details, ...mirror })]);
  }

  /** Ends a pod as Kubernetes does: what runs, its cgroup, its object. */
  async removePod(pod: Pod, isTold: boolean): Promise<void> {
    await this.world.removePod(pod.name);
    if (isTold) await this.world.config.remove(`pod-${pod.name}`);
  }

  /** Dials the service over and over. */
  send(pod: Pod, count: number): Promise<TrafficResult> {
    return pod.send({ ...this.reviews.target("IPv4"), concurrency: 2 }, count);
  }

  /** Every one of its connections was decided, from the first. */
  async assertDecided(pod: Pod, count = this.reviews.scale.connections): Promise<void> {
    const { answers, failures } = await this.send(pod, count);
    assert.deepEqual([answers, failures], [{ "reviews-v1": count }, {}], pod.place.podCgroup);
  }

  async assertUntouched(pod: Pod, count = this.reviews.scale.connections): Promise<void> {
    const { answers, failures } = await this.send(pod, count);
    assert.deepEqual([answers, failures], [{}, { [untouched]: count }], pod.place.podCgroup);
  }

  async podStatus(pod: Pod): Promise<PodStatus | undefined> {
    return (await this.applier.status()).pods.find(({ uid }) => uid === pod.uid);
  }

  /** Resolves when the node's agent says this of a pod. */
  async untilPod(pod: Pod, holds: (status: PodStatus | undefined) => boolean): Promise<void> {
    await until(async () => holds(await this.podStatus(pod)), {
      what: `the node's agent to know the pod ${pod.name} (${holds.toString()})`,
    });
  }

  /** Resolves when the node's agent was told of a pod, whose cgroup need not be there. */
  async untilTold(pod: Pod, namespace = "default"): Promise<void> {
    const name = `${namespace}/${pod.name}`;
    await until(
      async () => {
        const { pods, workloadsWithoutCgroup } = await this.applier.status();
        return workloadsWithoutCgroup.includes(name) || pods.some((status) => status.name === name);
      },
      { what: `the node's agent to be told of ${name}` },
    );
  }

  async pins(): Promise<PinFolder> {
    return PinFolder.find(this.applier.node);
  }

  /** How many pods programs are told of. */
  async entries(): Promise<number> {
    using map = BpfMap.openPinned((await this.pins()).map("workloads"));
    return (await map.batchLookup()).count;
  }
}
