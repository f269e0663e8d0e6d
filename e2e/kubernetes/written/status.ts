import { afterAll, beforeAll, describe, expect } from "vitest";
import { missingPeers } from "../../peers/peer-cache.ts";
import { peerTest } from "../../peers/peer-test.ts";
import { until } from "../../world/until.ts";
import { paths, service } from "../objects.ts";
import { PolicyView } from "../policy-view.ts";
import { writingPeers as peers, type WritingWorld } from "./writing-world.ts";

const group = "/apis/gateway.networking.k8s.io/v1";
const apiVersion = "gateway.networking.k8s.io/v1";
const controller = "istio.io/gateway-controller";

const gateway = {
  apiVersion,
  kind: "Gateway",
  metadata: { name: "edge", namespace: "default" },
  spec: {
    gatewayClassName: "istio",
    listeners: [
      { name: "http", port: 80, protocol: "HTTP", hostname: "*.shop.test" },
      { name: "odd", port: 81, protocol: "example.org/odd" },
    ],
  },
};

const route = (name: string, spec: object): object => ({
  apiVersion,
  kind: "HTTPRoute",
  metadata: { name, namespace: "default" },
  spec: { parentRefs: [{ name: "edge" }], hostnames: ["www.shop.test"], ...spec },
});

const to = (name: string): object => ({ rules: [{ backendRefs: [{ name, port: 9080 }] }] });

/** What became of the Gateway API's objects. */
export function statusTests(world: () => WritingWorld): void {
  describe("status", () => {
    let view: PolicyView | undefined;
    beforeAll(async () => {
      if (await missingPeers(...peers)) return;
      // Somebody to push to.
      view = new PolicyView(`127.0.0.1:${world().pilot.ports.grpc}`);
      await world().apiserver.apply(
        {
          apiVersion,
          kind: "GatewayClass",
          metadata: { name: "istio" },
          spec: { controllerName: controller },
        },
        {
          apiVersion,
          kind: "GatewayClass",
          metadata: { name: "other" },
          spec: { controllerName: "example.org/x" },
        },
        gateway,
        service("web"),
        route("right", to("web")),
        route("elsewhere", { ...to("web"), hostnames: ["www.example.org"] }),
        route("lost", to("nowhere")),
        route("inside", {
          parentRefs: [{ group: "", kind: "Service", name: "web" }],
          hostnames: [],
          ...to("web"),
        }),
        route("of-others", { parentRefs: [{ name: "unknown" }], ...to("web") }),
      );
    });
    afterAll(() => view?.close());

    interface Condition {
      readonly type: string;
      readonly status: string;
      readonly reason: string;
      readonly message: string;
      readonly observedGeneration: number;
      readonly lastTransitionTime: string;
    }

    interface Status {
      readonly metadata: { readonly generation: number; readonly resourceVersion: string };
      readonly status?: {
        readonly conditions?: readonly Condition[];
        readonly parents?: readonly {
          readonly controllerName: string;
          readonly parentRef: object;
          readonly conditions: readonly Condition[];
        }[];
        readonly listeners?: readonly {
          readonly name: string;
          readonly attachedRoutes: number;
          readonly conditions: readonly Condition[];
        }[];
      };
    }

    const read = async (path: string): Promise<Status> =>
      JSON.parse((await world().client.get(path)).text) as Status;
    const routePath = (name: string): string => `${group}/namespaces/default/httproutes/${name}`;
    const gatewayPath = `${group}/namespaces/default/gateways/edge`;

    const short = (conditions: readonly Condition[] = []): string[] =>
      conditions.map(({ type, status, reason }) => `${type} ${status} ${reason}`);

    /** Conditions of our first parent, once there are any. */
    async function ofRoute(name: string): Promise<readonly Condition[]> {
      return until(
        async () => {
          const { parents = [] } = (await read(routePath(name))).status ?? {};
          return parents.find(({ controllerName }) => controllerName === controller)?.conditions;
        },
        { what: `the status of ${name}` },
      );
    }

    peerTest(peers, "routes: accepted or why not, and whether what they name is there", async () => {
      expect(short(await ofRoute("right"))).toEqual([
        "Accepted True Accepted",
        "ResolvedRefs True ResolvedRefs",
      ]);
      expect(short(await ofRoute("inside"))).toEqual([
        "Accepted True Accepted",
        "ResolvedRefs True ResolvedRefs",
      ]);
      const [accepted] = await ofRoute("elsewhere");
      expect(accepted).toMatchObject({
        status: "False",
        reason: "NoMatchingListenerHostname",
        message:
          "no listener of Gateway default/edge takes it (http: host *.shop.test; odd: protocol example.org/odd)",
        observedGeneration: 1,
      });
      expect(await ofRoute("lost")).toMatchObject([
        { type: "Accepted", status: "True" },
        { type: "ResolvedRefs", status: "False", reason: "BackendNotFound" },
      ]);
      // A parent that may be another controller's.
      expect((await read(routePath("of-others"))).status?.parents ?? []).toEqual([]);
    });

    peerTest(
      peers,
      "classes and gateways: listeners, the routes at them, and the Service that carries them",
      async () => {
        await until(
          async () =>
            (await read(`${group}/gatewayclasses/istio`)).status?.conditions?.[0]?.status === "True",
          {
            what: "the class to be accepted",
          },
        );
        expect(short((await read(`${group}/gatewayclasses/other`)).status?.conditions)).not.toContain(
          "Accepted True Accepted",
        );
        const listeners = await until(async () => (await read(gatewayPath)).status?.listeners, {
          what: "the listeners",
        });
        expect(listeners.map(({ name, attachedRoutes }) => [name, attachedRoutes])).toEqual([
          ["http", 2],
          ["odd", 0],
        ]);
        expect(short(listeners[1]?.conditions)).toContain("Accepted False UnsupportedProtocol");
        expect(short((await read(gatewayPath)).status?.conditions)).toEqual([
          "Accepted True ListenersNotValid",
          "Programmed False AddressNotAssigned",
        ]);
        const ports = [80, 81].map((port) => ({ name: `http-${port}`, port }));
        const pushes = await world().counter("pilot_xds_pushes");
        await world().apiserver.apply({
          ...service("edge-istio"),
          spec: { selector: { app: "edge" }, ports },
        });
        const programmed = "Programmed True Programmed";
        await until(async () => short((await read(gatewayPath)).status?.conditions).includes(programmed), {
          what: "the gateway to be programmed",
        });
        // The Service and its endpoints, some time later, by when nothing is to be pushed that is not asked for.
        await until(async () => (await world().counter("pilot_xds_pushes")) >= pushes + 2, {
          what: "the Service to be pushed",
        });
      },
    );

    peerTest(peers, "a status is written only when something of it changes, and pushes nothing", async () => {
      const before = await ofRoute("lost");
      const written = await world().counter("keelson_kubernetes_writes_total");
      const pushes = await world().counter("pilot_xds_pushes");
      // Ours is taken away, and something of another controller's comes beside it.
      const others = { parentRef: { name: "edge" }, controllerName: "example.org/x", conditions: before };
      await world().client.patch(`${routePath("lost")}/status`, { status: { parents: [others] } });
      const back = await ofRoute("lost");
      expect(short(back)).toEqual(short(before));
      expect(
        (await read(routePath("lost"))).status?.parents?.map(({ controllerName }) => controllerName),
      ).toEqual(["example.org/x", controller]);
      expect(await world().counter("keelson_kubernetes_writes_total")).toBe(written + 1);
      expect(await world().counter("pilot_xds_pushes")).toBe(pushes);
      // What is said of a new generation is said again, though it is the same.
      const [accepted] = back;
      await world().client.patch(routePath("lost"), { spec: { hostnames: ["other.shop.test"] } });
      const [later] = await until(
        async () => {
          const found = await ofRoute("lost");
          return found[0]?.observedGeneration === 2 ? found : undefined;
        },
        { what: "the new generation to be observed" },
      );
      expect(later?.lastTransitionTime).toBe(accepted?.lastTransitionTime);
      // A backend that comes resolves the reference.
      await world().client.create(paths.services, service("nowhere"));
      await until(async () => (await ofRoute("lost"))[1]?.status === "True", {
        what: "the reference to be resolved",
      });
    });
  });
}
