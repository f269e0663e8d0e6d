// Real Envoys with a bootstrap of ten lines follow a control plane on a folder of files, in both variants of ADS.
import { describe, expect } from "vitest";
import { EnvoyWorld, httpService, podsBehind, toSubset } from "../envoy/envoy-world.ts";
import { startHttpBackend } from "../envoy/http-backend.ts";
import { HttpLoad } from "../envoy/http-load.ts";
import { peerTest } from "../peers/peer-test.ts";
import { type AdsVariant, adsVariants } from "../peers/plain-envoy.ts";
import { freePort } from "../world/free-port.ts";
import { until } from "../world/until.ts";

const host = "reviews.default.svc.cluster.local";
/** Changes of a rule that an Envoy follows under load. */
const changes = 50;

/** An Envoy before a service with two backends, and requests through it all the time. */
async function loadedWorld(variant: AdsVariant) {
  await using stack = new AsyncDisposableStack();
  const a = stack.use(await startHttpBackend("a", "127.0.0.2"));
  const b = stack.use(await startHttpBackend("b", "127.0.0.3"));
  const port = await freePort();
  const world = stack.use(
    await EnvoyWorld.start(variant, [httpService("reviews", port), ...podsBehind("reviews", [a, b])]),
  );
  const load = new HttpLoad({ host: "127.0.0.1", port, headers: { host: "reviews" } }, 4);
  stack.defer(() => load.stop());
  await load.untilOnly(["a", "b"]);
  const owned = stack.move();
  return { world, load, backends: { a, b }, port, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

describe.each(adsVariants)("%s", (_, variant) => {
  peerTest(["envoy"], "an Envoy gets its clusters, endpoints, listeners and routes", async () => {
    await using loaded = await loadedWorld(variant);
    const { world, port } = loaded;
    expect(await world.envoy.admin("/listeners")).toContain(`127.0.0.1_${port}::127.0.0.1:${port}`);
    expect(await world.statistics("update_success")).toMatchObject({
      "cluster_manager.cds.update_success": 1,
      [`cluster.outbound|${port}||${host}.update_success`]: 1,
      "listener_manager.lds.update_success": 1,
      [`http.outbound_127.0.0.1_${port}.rds.${port}.update_success`]: 1,
    });
    expect(await world.rejections()).toEqual({});
  });

  peerTest(
    ["envoy"],
    `no request fails while a rule changes ${changes} times, subsets coming and going`,
    async () => {
      await using loaded = await loadedWorld(variant);
      const { world, load, port } = loaded;
      for (let change = 0; change < changes; change += 1) {
        const to = change % 2 === 0 ? "a" : "b";
        // The name is new each time: the cluster that routes lead to is made, and the one before it is removed.
        await world.config.write("rule", toSubset("reviews", `s${change}`, to));
        await load.untilOnly([to], 10);
      }
      await world.config.remove("rule");
      await load.untilOnly(["a", "b"]);
      expect(load.failures).toEqual([]);
      await until(
        async () => (await world.clusters()).filter((name) => name.startsWith("outbound|")).length === 1,
        { what: "the clusters of subsets that are gone to be gone" },
      );
      expect(await world.clusters()).toContain(`outbound|${port}||${host}`);
      expect(await world.rejections()).toEqual({});
    },
  );

  peerTest(["envoy"], "backends come and go, and so do services with their listeners", async () => {
    await using loaded = await loadedWorld(variant);
    const { world, load, port, backends } = loaded;
    await using c = await startHttpBackend("c", "127.0.0.4");
    const all = [backends.a, backends.b, c];
    const reviews = httpService("reviews", port);
    await world.config.write("first", [reviews, ...podsBehind("reviews", all)]);
    await load.untilOnly(["a", "b", "c"]);
    await world.config.write("first", [reviews, ...podsBehind("reviews", [c])]);
    await load.untilOnly(["c"]);
    const otherPort = await freePort();
    await world.config.write("other", [httpService("ratings", otherPort), ...podsBehind("ratings", [c])]);
    const listener = `127.0.0.1_${otherPort}`;
    await until(async () => (await world.envoy.admin("/listeners")).includes(listener), {
      what: "a listener for the new service",
    });
    const other = new HttpLoad({ host: "127.0.0.1", port: otherPort, headers: { host: "ratings" } }, 1);
    await other.untilOnly(["c"]);
    await other.stop();
    await world.config.remove("other");
    await until(async () => !(await world.envoy.admin("/listeners")).includes(listener), {
      what: "the listener to be gone",
    });
    await load.untilOnly(["c"]);
    expect(load.failures).toEqual([]);
    expect(await world.rejections()).toEqual({});
  });

  peerTest(
    ["envoy"],
    "an endpoint that ends gets nothing new, and is kept for as long as sessions may need it",
    async () => {
      await using loaded = await loadedWorld(variant);
      const { world, load, port, backends } = loaded;
      const { a, b } = backends;
      const reviews = httpService("reviews", port);
      const session = { labels: { "istio.io/persistent-session": "session" } };
      const sticky = { ...reviews, metadata: { ...(reviews["metadata"] as object), ...session } };
      const isKept = async (): Promise<boolean> =>
        (await world.envoy.admin("/clusters")).includes(`::${b.address}:${b.port}::`);
      await world.config.write("first", [sticky, ...podsBehind("reviews", [a, b], { ending: [b] })]);
      await load.untilOnly(["a"], 50);
      await until(async () => /draining/i.test(await world.envoy.admin("/clusters?format=json")), {
        what: "the Envoy to be told that an endpoint drains",
      });
      expect(await isKept()).toBe(true);
      await world.config.write("first", [reviews, ...podsBehind("reviews", [a, b], { ending: [b] })]);
      await until(async () => !(await isKept()), { what: "the endpoint to be gone without sessions" });
      expect(load.failures).toEqual([]);
      expect(await world.rejections()).toEqual({});
    },
  );

  peerTest(
    ["envoy"],
    "an Envoy whose control plane restarts keeps its traffic, and follows again",
    async () => {
      await using loaded = await loadedWorld(variant);
      const { world, load } = loaded;
      await world.controlPlane.kill();
      await load.untilOnly(["a", "b"]);
      await world.config.write("rule", toSubset("reviews", "only-a", "a"));
      await world.controlPlane.start();
      await load.untilOnly(["a"]);
      // In the state of the world nobody can know what an Envoy has from before, and must keep for a while.
      if (variant === "DELTA_GRPC") expect(load.failures).toEqual([]);
      expect(await world.rejections()).toEqual({});
    },
  );
});
