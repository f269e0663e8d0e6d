// What became of the Gateway API's objects, as a real API server shows it.
import { afterAll, beforeAll, expect } from "vitest";
import { KubeClient } from "../kubernetes/kube-client.ts";
import { paths, service } from "../kubernetes/objects.ts";
import { PolicyView } from "../kubernetes/policy-view.ts";
import type { PeerName } from "../peers/install/recipes.ts";
import { installGatewayApi, istioNamespace } from "../peers/istio-objects.ts";
import { createNamespace } from "../peers/keelson-chart.ts";
import { type KubeApiserver, startKubeApiserver } from "../peers/kube-apiserver.ts";
import { missingPeers } from "../peers/peer-cache.ts";
import { peerTest } from "../peers/peer-test.ts";
import { type PilotDiscovery, startPilotDiscovery } from "../peers/pilot-discovery.ts";
import { until } from "../world/until.ts";

const peers: readonly PeerName[] = ["etcd", "kube-apiserver", "kubectl", "istiod"];
const group = "/apis/gateway.networking.k8s.io/v1";
const apiVersion = "gateway.networking.k8s.io/v1";
const controller = "istio.io/gateway-controller";

let apiserver: KubeApiserver;
let client: KubeClient;
let pilot: PilotDiscovery;
let view: PolicyView;

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

beforeAll(async () => {
  if (await missingPeers(...peers)) return;
  apiserver = await startKubeApiserver();
  await createNamespace(apiserver, istioNamespace);
  await installGatewayApi(apiserver, "standard");
  client = await KubeClient.of(apiserver.kubeconfig);
  await apiserver.apply(
    { apiVersion, kind: "GatewayClass", metadata: { name: "istio" }, spec: { controllerName: controller } },
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
  pilot = await startPilotDiscovery({ args: [`--kubeconfig=${apiserver.kubeconfig}`] });
  view = new PolicyView(`127.0.0.1:${pilot.ports.grpc}`);
}, 300_000);

afterAll(async () => {
  await view?.close();
  await pilot?.stop();
  client?.close();
  await apiserver?.stop();
});

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

const read = async (path: string): Promise<Status> => JSON.parse((await client.get(path)).text) as Status;
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
  expect(short(await ofRoute("right"))).toEqual(["Accepted True Accepted", "ResolvedRefs True ResolvedRefs"]);
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
      async () => (await read(`${group}/gatewayclasses/istio`)).status?.conditions?.[0]?.status === "True",
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
    await apiserver.apply({ ...service("edge-istio"), spec: { selector: { app: "edge" }, ports } });
    const programmed = "Programmed True Programmed";
    await until(async () => short((await read(gatewayPath)).status?.conditions).includes(programmed), {
      what: "the gateway to be programmed",
    });
  },
);

async function counter(name: string): Promise<number> {
  const { body } = await pilot.get("/metrics");
  const values = body.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\d+)$`, "gm"));
  return [...values].reduce((sum, [, value]) => sum + Number(value), 0);
}

peerTest(peers, "a status is written only when something of it changes, and pushes nothing", async () => {
  const before = await ofRoute("lost");
  const written = await counter("keelson_kubernetes_writes_total");
  const pushes = await counter("pilot_xds_pushes");
  // Ours is taken away, and something of another controller's comes beside it.
  const others = { parentRef: { name: "edge" }, controllerName: "example.org/x", conditions: before };
  await client.patch(`${routePath("lost")}/status`, { status: { parents: [others] } });
  const back = await ofRoute("lost");
  expect(short(back)).toEqual(short(before));
  expect(
    (await read(routePath("lost"))).status?.parents?.map(({ controllerName }) => controllerName),
  ).toEqual(["example.org/x", controller]);
  expect(await counter("keelson_kubernetes_writes_total")).toBe(written + 1);
  expect(await counter("pilot_xds_pushes")).toBe(pushes);
  // What is said of a new generation is said again, though it is the same.
  const [accepted] = back;
  await client.patch(routePath("lost"), { spec: { hostnames: ["other.shop.test"] } });
  const [later] = await until(
    async () => {
      const found = await ofRoute("lost");
      return found[0]?.observedGeneration === 2 ? found : undefined;
    },
    { what: "the new generation to be observed" },
  );
  expect(later?.lastTransitionTime).toBe(accepted?.lastTransitionTime);
  // A backend that comes resolves the reference.
  await client.create(paths.services, service("nowhere"));
  await until(async () => (await ofRoute("lost"))[1]?.status === "True", {
    what: "the reference to be resolved",
  });
});
