import { application, istio, routeRule } from "@keelson/model/testing";
import { envoyTypeUrls } from "@keelson/xds/envoy";
import { expect, onTestFinished, test, vi } from "vitest";
import { TestPilot } from "../testing/test-pilot.ts";
import { sidecarId, TestProxy, type TestProxyOptions } from "../testing/test-proxy.ts";

const patience = { timeout: 20_000, interval: 5 };
const hostname = "reviews.default.svc.cluster.local";

async function start(...proxies: TestProxyOptions[]): Promise<TestPilot> {
  const pilot = await TestPilot.start(...application());
  onTestFinished(() => pilot[Symbol.asyncDispose]());
  for (const options of proxies) {
    const proxy = new TestProxy(pilot.xdsPort, options);
    onTestFinished(() => proxy.close());
  }
  await vi.waitUntil(() => isSettled(pilot, proxies.length), patience);
  return pilot;
}

/** Every proxy has answered all that it was sent. */
const isSettled = (pilot: TestPilot, count: number): boolean => {
  const { connections } = pilot.controlPlane.debug.state;
  return (
    connections.length === count &&
    connections.every(
      ({ watches }) =>
        watches.size > 0 &&
        [...watches.values()].every(
          ({ sent, acked, error }) => sent !== "" && (sent === acked || error !== ""),
        ),
    )
  );
};

interface Asked {
  readonly status: number;
  readonly body: unknown;
}

function ask(pilot: TestPilot, page: string, namespace?: string): Asked {
  const [name = "", query = ""] = page.split("?");
  const { debug } = pilot.controlPlane;
  const request = { state: debug.state, query: new URLSearchParams(query), namespace };
  const { status, type, body } = debug.pages.answer(name, request);
  return { status, body: type === "application/json" ? JSON.parse(body) : body };
}

const reviews = { id: sidecarId("reviews-v1"), metadata: { NAMESPACE: "default", CLUSTER_ID: "Kubernetes" } };
const client = { id: sidecarId("client", "other", "10.1.9.9"), metadata: { LABELS: { app: "client" } } };

test("syncz: what each proxy was sent and acked, and why it rejected something", async () => {
  const reject = (typeUrl: string): string | undefined =>
    typeUrl === envoyTypeUrls.listener ? "no room" : undefined;
  const pilot = await start(reviews, { ...client, reject });
  const { body } = ask(pilot, "syncz") as { body: Record<string, unknown>[] };
  expect(body.map(({ proxy }) => proxy)).toEqual(["client.other", "reviews-v1.default"]);
  const nonce = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\/\d+[-0-9a-f]{36}$/);
  expect(body[1]).toMatchObject({
    cluster_id: "Kubernetes",
    proxy_type: "sidecar",
    istio_version: "1.31.0",
    cluster_sent: nonce,
    cluster_acked: (body[1] as { cluster_sent: string }).cluster_sent,
    resources: { [envoyTypeUrls.nameTable]: { sent: nonce, acked: nonce, sentTime: expect.any(String) } },
  });
  expect(body[0]).not.toHaveProperty("listener_acked");
  expect(body[0]).toMatchObject({
    listener_sent: nonce,
    resources: { [envoyTypeUrls.listener]: { sent: nonce, lastError: "no room" } },
  });
  expect((ask(pilot, "syncz?namespace=other").body as unknown[]).length).toBe(1);
});

test("connections and adsz: who is connected, from where, and what it watches", async () => {
  const pilot = await start(reviews, client);
  expect(ask(pilot, "connections").body).toEqual({
    totalClients: 2,
    clients: [
      {
        connectionId: expect.stringMatching(/^client\.other-\d+$/),
        connectedAt: expect.any(String),
        address: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
      },
      expect.objectContaining({ connectionId: expect.stringMatching(/^reviews-v1\.default-\d+$/) }),
    ],
  });
  expect(ask(pilot, "adsz?proxyID=client").body).toMatchObject({
    totalClients: 1,
    clients: [
      {
        labels: { app: "client" },
        metadata: { ISTIO_VERSION: "1.31.0" },
        watches: { [envoyTypeUrls.cluster]: expect.arrayContaining([`outbound|9080||${hostname}`]) },
      },
    ],
  });
  expect(ask(pilot, "adsz?push=true")).toEqual({ status: 200, body: "Pushed to 2 servers\n" });
});

test("a page about one proxy says what is missing, as istioctl looks for it", async () => {
  const pilot = await start(reviews);
  const pages = ["config_dump", "edsz", "ndsz", "ecdsz", "sidecarz"];
  for (const page of pages) {
    expect(ask(pilot, page)).toEqual({
      status: 400,
      body: "You must provide a proxyID in the query string\n",
    });
  }
  const notHere = {
    status: 404,
    body: "Proxy not connected to this Pilot instance. It may be connected to another instance.\n",
  };
  for (const page of [...pages, "adsz", "telemetryz"]) {
    expect(ask(pilot, `${page}?proxyID=nobody`)).toEqual(notHere);
    expect(ask(pilot, `${page}?proxyID=reviews-v1.default`).status).toBe(200);
    expect(ask(pilot, `${page}?proxyID=reviews-v1.default`, "other")).toEqual(notHere);
  }
  expect(ask(pilot, "nothing")).toEqual({ status: 404, body: "404 page not found\n" });
  expect(ask(pilot, "toString")).toEqual({ status: 404, body: "404 page not found\n" });
});

const typesOf = (body: unknown): string[] =>
  (body as { configs: { "@type": string }[] }).configs.map((config) => config["@type"].replace(/^.*\./, ""));

test("config_dump: what the proxy's own page should say, in its order", async () => {
  const pilot = await start({ ...reviews, typeUrls: Object.values(envoyTypeUrls).slice(0, 4) });
  const { body } = ask(pilot, "config_dump?proxyID=reviews");
  const order = ["Bootstrap", "Clusters", "Listeners", "ScopedRoutes", "Routes", "Secrets", "Ecds"];
  expect(typesOf(body)).toEqual(order.map((name) => `${name}ConfigDump`));
  const withEndpoints = ask(pilot, "config_dump?proxyID=reviews&include_eds").body;
  expect(typesOf(withEndpoints)[2]).toBe("EndpointsConfigDump");
  expect(body).toMatchObject({
    configs: [
      {},
      {
        versionInfo: pilot.controlPlane.debug.state.pushVersion,
        dynamicActiveClusters: expect.arrayContaining([
          { cluster: expect.objectContaining({ name: `outbound|9080||${hostname}`, type: "EDS" }) },
        ]),
      },
      { dynamicListeners: expect.arrayContaining([expect.objectContaining({ name: "virtualOutbound" })]) },
    ].concat(Array.from({ length: 4 }, () => ({})) as never),
  });
  const some = ask(pilot, "config_dump?proxyID=reviews&types=lds,CDS").body;
  expect(new Set(typesOf(some))).toEqual(new Set(["Listener", "Cluster"]));
});

test("ndsz: the table of names", async () => {
  const pilot = await start(reviews);
  expect(ask(pilot, "ndsz?proxyID=reviews").body).toEqual({
    configs: [
      {
        "@type": "type.googleapis.com/istio.networking.nds.v1.NameTable",
        table: { [hostname]: expect.objectContaining({ ips: ["10.96.1.1"], registry: "Kubernetes" }) },
      },
    ],
  });
});

test("services and endpoints", async () => {
  const pilot = await start(reviews);
  const [service] = ask(pilot, "registryz").body as object[];
  expect(service).toMatchObject({
    Attributes: { ServiceRegistry: "Kubernetes", Name: "reviews", Namespace: "default" },
    ports: [{ port: 9080 }],
    hostname,
    clusterVIPs: { Addresses: { Kubernetes: ["10.96.1.1"] } },
    defaultAddress: "10.96.1.1",
    Resolution: 0,
    MeshExternal: false,
  });
  const shards = ask(pilot, "endpointShardz").body as Record<string, never>;
  expect(shards).toMatchObject({
    [hostname]: { default: { Shards: { "Kubernetes/Kubernetes": expect.any(Array) } } },
  });
  expect(ask(pilot, "endpointz").body).toEqual(shards);
  expect(ask(pilot, "instancesz").body).toMatchObject({
    "reviews-v1.default": [{ Service: { hostname }, Port: { port: 9080, TargetPort: 9080 } }],
  });
  expect(ask(pilot, "sidecarz?proxyID=reviews").body).toMatchObject({
    namespace: "default",
    services: [{ hostname }],
  });
  expect(ask(pilot, "clusterz").body).toEqual([{ id: "Kubernetes", secretName: "", syncStatus: "synced" }]);
});

test("the configuration", async () => {
  const pilot = await start();
  const spec = { hosts: ["reviews"], http: [{ route: [{ destination: { host: "reviews" }, weight: 1 }] }] };
  pilot.write("rules", istio("VirtualService", { name: "reviews", spec }), routeRule());
  await pilot.untilVersion(pilot.controlPlane.status().version);
  expect(ask(pilot, "configz").body).toEqual([
    {
      kind: "VirtualService",
      apiVersion: "networking.istio.io/v1",
      metadata: { name: "reviews", namespace: "default" },
      spec,
    },
    expect.objectContaining({ kind: "RouteRule", apiVersion: "config.istio.io/v1alpha2" }),
  ]);
  expect(ask(pilot, "resourcesz").body).toContainEqual({
    group: "networking.istio.io",
    version: "v1",
    kind: "VirtualService",
  });
  expect(ask(pilot, "mesh").body).toMatchObject({
    connectTimeout: "10s",
    trustDomain: "cluster.local",
    rootNamespace: "istio-system",
    outboundTrafficPolicy: { mode: "ALLOW_ANY" },
  });
});

test("what does not exist here is empty, not missing", async () => {
  const pilot = await start();
  const none = { namespace_to_policies: {}, root_namespace: "istio-system" };
  expect(ask(pilot, "authorizationz").body).toEqual({ authorization_policies: none });
  expect(ask(pilot, "pushcontext").body).toMatchObject({ AuthorizationPolicies: none });
  expect(ask(pilot, "telemetryz").body).toEqual({
    telemetries: { namespace_to_telemetries: {}, root_namespace: "istio-system" },
  });
  expect(ask(pilot, "ambientz").body).toEqual({ workloads: null, services: null, policies: null });
  expect([ask(pilot, "networkz").body, ask(pilot, "mcsz").body, ask(pilot, "krtz").body]).toEqual([
    null,
    null,
    [],
  ]);
  expect(ask(pilot, "inject").status).toBe(404);
});

test("push_status names what proxies ask for in vain", async () => {
  const pilot = await start();
  expect(ask(pilot, "push_status").body).toEqual({});
  const spec = {
    hosts: ["empty.test"],
    ports: [{ number: 80, name: "http", protocol: "HTTP" }],
    resolution: "STATIC",
  };
  pilot.write("empty", istio("ServiceEntry", { name: "empty", spec: { ...spec, addresses: ["10.1.1.9"] } }));
  await pilot.untilVersion(pilot.controlPlane.status().version);
  expect(ask(pilot, "push_status").body).toEqual({
    pilot_eds_no_instances: { "outbound|80||empty.test": {} },
  });
});

test("cachez: what is made once for all; it can be made anew", async () => {
  const pilot = await start(reviews);
  expect(ask(pilot, "cachez").body).toMatchObject({
    [envoyTypeUrls.cluster]: expect.arrayContaining([`outbound|9080||${hostname}`]),
  });
  expect(ask(pilot, "cachez?sizes=true").body).toMatchObject({
    total: expect.stringMatching(/^\d+\.\dkB$/),
    [envoyTypeUrls.cluster]: expect.stringMatching(/^\d+(\.\dk)?B$/),
  });
  const before = ask(pilot, "config_dump?proxyID=reviews").body;
  expect(ask(pilot, "cachez?clear=true")).toEqual({ status: 200, body: "Cache cleared\n" });
  await vi.waitUntil(() => isSettled(pilot, 1), patience);
  const clusters = (body: unknown): unknown =>
    (body as { configs: Record<string, unknown>[] }).configs[1]?.["dynamicActiveClusters"];
  expect(clusters(ask(pilot, "config_dump?proxyID=reviews").body)).toEqual(clusters(before));
});

test("list: every page, sorted; each of them answers", async () => {
  const pilot = await start(reviews);
  const { body } = ask(pilot, "list") as { body: string[] };
  expect(body).toEqual([
    "adsz",
    "adsz?push=true",
    "ambientz",
    "authorizationz",
    "cachez",
    "cachez?clear=true",
    "cachez?sizes=true",
    "clusterz",
    "config_dump",
    "configz",
    "connections",
    "ecdsz",
    "edsz",
    "endpointShardz",
    "endpointz",
    "inject",
    "instancesz",
    "krtz",
    "mcsz",
    "mesh",
    "ndsz",
    "networkz",
    "push_status",
    "pushcontext",
    "registryz",
    "resourcesz",
    "sidecarz",
    "syncz",
    "telemetryz",
  ]);
  for (const page of body) expect([200, 400, 404]).toContain(ask(pilot, page).status);
});

test("pretty: indented", async () => {
  const pilot = await start();
  const { debug } = pilot.controlPlane;
  const request = { state: debug.state, query: new URLSearchParams("pretty"), namespace: undefined };
  expect(debug.pages.answer("clusterz", request).body).toMatch(/^\[\n {4}\{\n {8}"id": "Kubernetes",/);
});
