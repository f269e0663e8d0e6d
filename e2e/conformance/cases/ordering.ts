import { type ConformanceCase, changing } from "../case.ts";
import { clustersOf, endpointsOf } from "../peer/contents.ts";
import { type Response, variants } from "../peer/messages.ts";
import { check } from "../peer/nonconformity.ts";
import { shortName, types } from "../peer/types.ts";
import { followAll, namesIn, routedClusters } from "./steps.ts";

export const ordering: readonly ConformanceCase[] = [
  changing({
    name: "push-comes-in-the-order-of-types",
    rules: ["order-of-types"],
    variants,
    what: "sends clusters, endpoints, listeners and routes of one change in this order",
    begin: (world) => [world.service("a", ["10.1.1.1"])],
    run: async (scene) => {
      const { world } = scene;
      const [a, b] = [world.cluster("a"), world.cluster("b")];
      const tcp = { protocol: "TCP", port: 9000, address: "10.96.1.1" } as const;
      const peer = scene.connect();
      await followAll(peer, [a]);
      await scene.change(
        world.service("a", ["10.1.1.2"]),
        world.service("b", ["10.1.2.1"]),
        world.service("t", ["10.1.3.1"], tcp),
        world.route("a", "b"),
      );
      const news: Readonly<Record<string, (response: Response) => boolean>> = {
        [types.cds]: (response) => namesIn(response).includes(b),
        [types.eds]: ({ resources }) => resources.some((each) => endpointsOf(each).includes("10.1.1.2:80")),
        [types.lds]: (response) => namesIn(response).includes("10.96.1.1_9000"),
        [types.rds]: ({ resources }) => resources.some((each) => clustersOf(each).has(b)),
      };
      const came = new Set<string>();
      await peer.until((response) => {
        if (news[response.typeUrl]?.(response) === true) came.add(response.typeUrl);
        return came.size === Object.keys(news).length;
      }, "news of all four types");
      const order = [...came].map(shortName).join(", ");
      check(order === "CDS, EDS, LDS, RDS", "CDS, EDS, LDS, RDS", order);
    },
  }),
  changing({
    name: "route-comes-after-its-cluster",
    rules: ["order-of-types", "make-before-break"],
    variants,
    what: "sends a route to a new cluster when the client has the cluster",
    begin: (world) => [world.service("a", [{ address: "10.1.1.1", labels: { version: "v1" } }])],
    run: async (scene) => {
      const { world } = scene;
      const peer = scene.connect();
      await followAll(peer, [world.cluster("a")]);
      await scene.change(
        world.service("a", [{ address: "10.1.1.1", labels: { version: "v1" } }]),
        world.destination("a", ["v1"]),
        world.route("a", "a", "v1"),
      );
      await peer.until(() => {
        const missing = [...routedClusters(peer)].filter((name) => !peer.held(types.cds).has(name));
        check(missing.length === 0, "clusters before routes that lead to them", `no ${missing.join(", ")}`);
        return routedClusters(peer).has(world.cluster("a", "v1"));
      }, "a route to the new subset");
    },
  }),
  changing({
    name: "cluster-goes-after-its-route",
    rules: ["make-before-break"],
    variants,
    what: "removes a cluster when no route that the client has leads to it any more",
    begin: (world) => [
      world.service("a", [{ address: "10.1.1.1", labels: { version: "v1" } }]),
      world.destination("a", ["v1"]),
      world.route("a", "a", "v1"),
    ],
    run: async (scene) => {
      const { world } = scene;
      const [v1, v2] = [world.cluster("a", "v1"), world.cluster("a", "v2")];
      const peer = scene.connect();
      await followAll(peer, [v1]);
      check(routedClusters(peer).has(v1), "a route to the subset v1", [...routedClusters(peer)]);
      await scene.change(
        world.service("a", [{ address: "10.1.1.1", labels: { version: "v2" } }]),
        world.destination("a", ["v2"]),
        world.route("a", "a", "v2"),
      );
      await peer.until(() => {
        const missing = [...routedClusters(peer)].filter((name) => !peer.held(types.cds).has(name));
        check(missing.length === 0, "clusters as long as routes lead to them", `no ${missing.join(", ")}`);
        return routedClusters(peer).has(v2) && !peer.held(types.cds).has(v1);
      }, "the new subset, and the old one gone");
    },
  }),
  changing({
    name: "request-is-answered-while-a-push-waits-for-acks",
    rules: ["requests-first"],
    variants,
    what: "answers a request although the client has not acked the clusters of a push yet",
    begin: (world) => [world.service("a", ["10.1.1.1"])],
    run: async (scene) => {
      const { world } = scene;
      const peer = scene.connect();
      await followAll(peer, [world.cluster("a")]);
      await scene.change(world.service("a", ["10.1.1.1"]), world.service("b", ["10.1.2.1"]));
      const b = world.cluster("b");
      const isNews = (response: Response): boolean =>
        response.typeUrl === types.cds && namesIn(response).includes(b);
      for (;;) if (isNews(await peer.response("clusters with the new one"))) break;
      peer.ask(types.eds, b);
      for (;;) {
        const what = "the endpoints that were asked for, although clusters are not acked";
        const response = await peer.response(what);
        if (response.typeUrl === types.eds && namesIn(response).includes(b)) break;
      }
    },
  }),
];
