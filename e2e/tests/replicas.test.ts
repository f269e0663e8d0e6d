// Two replicas share the streams; when one is killed, the other serves them all.
import { expect } from "vitest";
import { type Envoy, startEnvoy } from "../peers/envoy.ts";
import { peerTest } from "../peers/peer-test.ts";
import { bootstrapWith, grpcCluster } from "../peers/plain-envoy.ts";
import { hostname, ReplicasWorld } from "../replicas/replicas-world.ts";
import { until } from "../world/until.ts";

/** A service level, not a speed: issue and documentation promise it. */
const longestWaitMs = 10_000;

/** An Envoy to which the control plane is one cluster of several servers. */
function envoyOf(ports: readonly number[]): Promise<Envoy> {
  const places = ports.map((port) => grpcCluster("xds", { port }));
  const [first] = places;
  const endpoints = places.flatMap(({ load_assignment }) => (load_assignment as Assignment).endpoints);
  const cluster = { ...first, load_assignment: { cluster_name: "xds", endpoints } };
  const service = { envoy_grpc: { cluster_name: "xds" } };
  const node = { id: "sidecar~10.0.0.1~a.default~default.svc.cluster.local" };
  return startEnvoy({ bootstrap: bootstrapWith(node, service, "DELTA_GRPC", cluster) });
}

interface Assignment {
  readonly endpoints: readonly object[];
}

peerTest(
  ["etcd", "kube-apiserver", "kubectl", "envoy"],
  "one of two replicas killed: every stream is served by the other within 10 s",
  async () => {
    await using world = await ReplicasWorld.start();
    await world.startReplica("istiod-a");
    await world.startReplica("istiod-b");
    expect(await world.leader()).toBe("istiod-a");
    world.openStreams(24);
    await world.make("before");
    await world.untilHeard("before");
    expect(await world.streamsOf("istiod-a")).toBe(12);
    expect(await world.streamsOf("istiod-b")).toBe(12);
    const envoy = await envoyOf(world.ports);

    const killed = performance.now();
    await world.replicas.get("istiod-a")?.process.process.kill();
    await world.make("after");
    const waits = await world.untilHeard("after", killed);
    expect(waits.at(-1)).toBeLessThan(longestWaitMs);
    expect(await world.streamsOf("istiod-b")).toBeGreaterThanOrEqual(24);
    const cluster = `outbound|9080||${hostname("after")}`;
    await until(async () => (await envoy.admin("/clusters")).includes(cluster), {
      what: "the Envoy to be served",
    });
    expect(performance.now() - killed).toBeLessThan(longestWaitMs);
    expect(await world.streamsOf("istiod-b")).toBe(25);
    await envoy.stop();
  },
);
