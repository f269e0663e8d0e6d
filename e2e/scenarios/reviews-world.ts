import assert from "node:assert/strict";
import type { ServiceExplanation } from "@keelson/compiler";
import { debugPaths, type Problem, type StatusView } from "@keelson/model";
import type { Edge } from "@keelson/protos/telemetry";
import type { ApplierStart } from "../world/applier.ts";
import {
  endpointSlices,
  podObject,
  type RuleRecord,
  routeRule,
  type ServiceRecord,
  serviceObject,
  versionSubsets,
  virtualService,
} from "../world/objects.ts";
import type { Pod } from "../world/pod.ts";
import { controlPlaneStatus } from "../world/settled.ts";
import { type Tally, total } from "../world/tally.ts";
import type { Target, TrafficResult } from "../world/traffic.ts";
import { until } from "../world/until.ts";
import { World } from "../world/world.ts";

export type Family = "IPv4" | "IPv6";
export const families: readonly Family[] = ["IPv4", "IPv6"];

/** As callers dial it; the pods listen elsewhere, so that only a rewritten connect can succeed. */
const port = 9080;
const targetPort = 8080;

/** How many connections a split is measured with, and how much goes on. */
export interface Scale {
  readonly connections: number;
  /** For how long a control plane is away: nodes wait for up to 4 s between two attempts to find it. */
  readonly awayMs: number;
  /** Exchanges under way at once while something changes. */
  readonly senders: number;
}

export const fullScale: Scale = { connections: 1_000, awayMs: 10_000, senders: 16 };

/** The world of most scenarios: a service "reviews" with one pod of each version, and a caller. */
export class ReviewsWorld {
  readonly world: World;
  readonly scale: Scale;
  private readonly service: ServiceRecord;
  private readonly applierStart: ApplierStart;

  private constructor(world: World, scale: Scale, service: ServiceRecord, applierStart: ApplierStart) {
    this.world = world;
    this.scale = scale;
    this.service = service;
    this.applierStart = applierStart;
  }

  /** @param name of the world, see World.open */
  static async open(
    name: string,
    scale: Scale = fullScale,
    applier: ApplierStart = {},
  ): Promise<ReviewsWorld> {
    const world = await World.open(name);
    try {
      const service = await world.addService("reviews", [
        { name: "http", port, targetPort },
        { name: "udp", port, targetPort, protocol: "UDP" },
      ]);
      const versions = ["v1", "v2", "v3"].map((version) => ({
        name: `reviews-${version}`,
        labels: { app: "reviews", version },
      }));
      const pods = await world.addPods({ name: "caller", labels: { app: "caller" } }, ...versions);
      // As the kubelet has one in each pod before its containers, and with it the pod's network.
      pods[0]?.start("sleep", "infinity");
      await Promise.all(pods.slice(1).map((pod) => pod.startEchoServer(targetPort)));
      const reviews = new ReviewsWorld(world, scale, service, applier);
      await reviews.writeObjects();
      await world.startControlPlane();
      await reviews.startApplier();
      return reviews;
    } catch (error) {
      await world.close();
      throw error;
    }
  }

  close(): Promise<void> {
    return this.world.close();
  }

  /** As it was started first. Resolves when it holds what the control plane has, and its relay, if any, listens in all pods. */
  async startApplier(more: ApplierStart = {}): Promise<void> {
    const applier = await this.world.startApplier(1, { ...this.applierStart, ...more });
    await this.world.settled();
    if (this.applierStart.relay !== undefined)
      await until(async () => ((await applier.status()).relay?.networks ?? 0) >= this.world.pods.size, {
        what: "the relay to listen in the networks of all pods",
      });
  }

  /** What decides requests on the node. */
  get relay(): ApplierStart["relay"] {
    return this.applierStart.relay;
  }

  /** What the node's agent does with callers' sockets. */
  get sockets(): NonNullable<ApplierStart["sockets"]> | "off" {
    return this.applierStart.sockets ?? "off";
  }

  get caller(): Pod {
    return this.world.pod("caller");
  }

  target(family: Family, more: Partial<Target> = {}): Target {
    const [ipv4 = "", ipv6 = ""] = this.service.addresses;
    return { host: family === "IPv4" ? ipv4 : ipv6, port, ...more };
  }

  /** Pods that the service's slices name: all whose label "app" says so, but for those left out. */
  servicePods(leftOut: readonly string[] = []): Pod[] {
    return [...this.world.pods.values()].filter(
      ({ name, labels }) => labels["app"] === "reviews" && !leftOut.includes(name),
    );
  }

  /** Service, slices and pods, as one file and so as one version. */
  async writeObjects(leftOut: readonly string[] = []): Promise<void> {
    await this.world.config.write("reviews", [
      serviceObject(this.service),
      ...endpointSlices(this.service, this.servicePods(leftOut)),
      ...[...this.world.pods.values()]
        .filter(({ name }) => !leftOut.includes(name))
        .map((pod) => podObject(pod)),
    ]);
  }

  /** Makes these the only rules, live on the node before it resolves. */
  rules(...rules: readonly Omit<RuleRecord, "destination">[]): Promise<string> {
    return this.world.change((config) =>
      config.write(
        "rules",
        rules.map((rule) => routeRule({ ...rule, destination: "reviews" })),
      ),
    );
  }

  /** Makes these HTTP routes of a VirtualService the only rules, live on the node before it resolves. */
  httpRoutes(...http: readonly unknown[]): Promise<string> {
    return this.httpRoutesUnder(undefined, ...http);
  }

  /** The same, with a policy for calls to the service. */
  httpRoutesUnder(trafficPolicy: object | undefined, ...http: readonly unknown[]): Promise<string> {
    const host = versionSubsets("reviews", ["v1", "v2", "v3"], trafficPolicy);
    return this.world.change((config) => config.write("rules", [host, virtualService("reviews", http)]));
  }

  /** One rule with these weights by version. */
  weights(weights: Readonly<Record<string, number>>): Promise<string> {
    const route = Object.entries(weights).map(([version, weight]) => ({ labels: { version }, weight }));
    return this.rules({ name: "reviews-default", route });
  }

  /** Takes all rules away, if there are any. */
  async withoutRules(): Promise<void> {
    const { rules } = (await this.explain()).ports[0] ?? { rules: [] };
    if (rules.length > 0) await this.rules();
  }

  send(target: Target, count = this.scale.connections): Promise<TrafficResult> {
    return this.caller.send(target, count);
  }

  /** Sends, and expects that every single request was answered. @returns answers by version. */
  async answersByVersion(target: Target, count?: number): Promise<Tally> {
    const result = await this.send(target, count);
    assert.deepEqual(result.failures, {}, "requests failed");
    return this.byVersion(result.answers);
  }

  byVersion(answers: Tally): Tally {
    const versions: Tally = {};
    for (const [pod, times] of Object.entries(answers)) {
      const version = this.world.pods.get(pod)?.labels["version"] ?? pod;
      versions[version] = (versions[version] ?? 0) + times;
    }
    return versions;
  }

  async explain(): Promise<ServiceExplanation> {
    const all = (await this.world.controlPlane.get(debugPaths.explain)) as ServiceExplanation[];
    const found = all.find(({ hostname }) => hostname.startsWith("reviews."));
    assert.ok(found, "the control plane explains no service reviews");
    return found;
  }

  status(): Promise<StatusView> {
    return controlPlaneStatus(this.world.controlPlane);
  }

  async problems(): Promise<readonly Problem[]> {
    return (await this.status()).problems;
  }

  /** Waits until it holds. */
  async until(condition: () => Promise<boolean>): Promise<void> {
    await until(condition, { what: condition.toString() });
  }

  edges(): Promise<Edge[]> {
    return this.world.applier().edges();
  }

  /** Sends without end while `action` runs. @returns what came of the traffic; none of it may be nothing. */
  async during(target: Target, action: () => Promise<void>): Promise<TrafficResult> {
    const traffic = this.caller.sendUntilStopped({ concurrency: this.scale.senders, ...target });
    try {
      await action();
    } catch (error) {
      await traffic.stop();
      throw error;
    }
    const result = await traffic.stop();
    assert.ok(total(result.answers) > 0, "no traffic went on meanwhile");
    return result;
  }
}
