import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { AggregatedDiscoveryService } from "@envoyproxy/xds-protos/envoy/service/discovery/v3/ads_pb.js";
import {
  type DiscoveryRequest,
  DiscoveryRequestSchema,
  type DiscoveryResponse,
  DiscoveryResponseSchema,
} from "@envoyproxy/xds-protos/envoy/service/discovery/v3/discovery_pb.js";
import { ClientConfigSchema, ConfigStatus } from "@envoyproxy/xds-protos/envoy/service/status/v3/csds_pb.js";
import * as grpc from "@grpc/grpc-js";
import { application } from "@keelson/model/testing";
import { envoyTypeUrls } from "@keelson/xds/envoy";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { TestPilot } from "../testing/test-pilot.ts";
import { sidecarId, TestProxy } from "../testing/test-proxy.ts";
import { TestSecurePort } from "../testing/test-secure-port.ts";

let pilot: TestPilot;
let port: TestSecurePort;
let proxies: TestProxy[];

beforeAll(async () => {
  pilot = await TestPilot.start(...application());
  port = await TestSecurePort.start({}, ({ serving }) => serving);
  const server = pilot.controlPlane.makeServer(port.serving.guard);
  port.port = await port.serving.listener(server)({ host: "127.0.0.1", port: 0 });
  const options = [
    { id: sidecarId("reviews-v1"), metadata: { NAMESPACE: "default", CLUSTER_ID: "Kubernetes" } },
    { id: sidecarId("client", "other", "10.1.9.9"), reject: () => "no room" },
    { id: sidecarId("bystander"), metadata: { PROXY_CONFIG: null } },
  ];
  proxies = options.map((each) => new TestProxy(pilot.xdsPort, each));
  const isSettled = (): boolean => {
    const { connections } = pilot.controlPlane.debug.state;
    const watches = connections.flatMap((connection) => [...connection.watches.values()]);
    return (
      watches.length === 9 &&
      watches.every(({ sent, acked, error }) => sent !== "" && (sent === acked || error !== ""))
    );
  };
  await vi.waitUntil(isSettled, { timeout: 20_000, interval: 5 });
});

afterAll(async () => {
  await Promise.all(proxies.map((proxy) => proxy.close()));
  await port[Symbol.asyncDispose]();
  await pilot[Symbol.asyncDispose]();
});

const method = AggregatedDiscoveryService.method.streamAggregatedResources;

interface Caller {
  readonly client: grpc.Client;
  readonly namespace: string;
}

/** The first answer to a request as istioctl makes it, in the state of the world. @throws grpc.ServiceError */
async function ask(
  { client, namespace }: Caller,
  request: { readonly typeUrl: string; readonly resourceNames?: readonly string[] },
): Promise<DiscoveryResponse> {
  const stream = client.makeBidiStreamRequest<DiscoveryRequest, DiscoveryResponse>(
    `/${AggregatedDiscoveryService.typeName}/${method.name}`,
    (message) => Buffer.from(toBinary(DiscoveryRequestSchema, message)),
    (bytes) => fromBinary(DiscoveryResponseSchema, bytes),
  );
  const { promise, resolve, reject } = Promise.withResolvers<DiscoveryResponse>();
  stream.on("data", resolve);
  stream.on("error", reject);
  const node = { id: sidecarId("istioctl", namespace) };
  const { typeUrl, resourceNames = [] } = request;
  stream.write(create(DiscoveryRequestSchema, { node, typeUrl, resourceNames: [...resourceNames] }));
  return promise.finally(() => {
    stream.cancel();
    client.close();
  });
}

const asCaller = async (namespace: string): Promise<Caller> => ({
  client: port.client({ token: await port.issuer.token({ namespace, serviceAccount: "default" }) }),
  namespace,
});

const bodies = ({ resources }: DiscoveryResponse): string[] =>
  resources.map(({ typeUrl, value }) => `${typeUrl} ${Buffer.from(value).toString()}`);

test("syncz: every proxy with an agent, and how far it is; the control plane says who it is", async () => {
  const response = await ask(await asCaller("istio-system"), { typeUrl: "istio.io/debug/syncz" });
  const configs = response.resources.map(({ typeUrl, value }) => {
    expect(typeUrl).toBe("type.googleapis.com/envoy.service.status.v3.ClientConfig");
    return fromBinary(ClientConfigSchema, value);
  });
  expect(new Set(configs.map(({ node }) => node?.id))).toEqual(
    new Set(["client.other", "reviews-v1.default"]),
  );
  const [other, reviews] = configs[0]?.node?.id === "client.other" ? configs : configs.toReversed();
  expect(reviews?.node?.metadata).toEqual({
    CLUSTER_ID: "Kubernetes",
    NAMESPACE: "default",
    ISTIO_VERSION: "1.31.0",
  });
  expect(reviews?.genericXdsConfigs.map(({ typeUrl, configStatus }) => [typeUrl, configStatus])).toEqual(
    [envoyTypeUrls.cluster, envoyTypeUrls.listener, envoyTypeUrls.nameTable].map((type) => [
      type,
      ConfigStatus.SYNCED,
    ]),
  );
  expect(other?.genericXdsConfigs[0]).toMatchObject({
    configStatus: ConfigStatus.ERROR,
    errorState: { details: "no room" },
    lastUpdated: expect.anything(),
  });
  expect(JSON.parse(response.controlPlane?.identifier ?? "")).toEqual({
    Component: "istiod",
    ID: "",
    Info: expect.objectContaining({
      version: expect.any(String),
      revision: expect.any(String),
      status: expect.any(String),
    }),
  });
});

test("syncz: a caller of another namespace sees the proxies of its own", async () => {
  const { resources } = await ask(await asCaller("other"), { typeUrl: "istio.io/debug/syncz" });
  expect(resources.map(({ value }) => fromBinary(ClientConfigSchema, value).node?.id)).toEqual([
    "client.other",
  ]);
});

test("config_dump: the parts of Envoy's page; nothing for a proxy that is not here", async () => {
  const dump = async (namespace: string, ...resourceNames: string[]): Promise<string[]> => {
    const typeUrl = "istio.io/debug/config_dump";
    const { resources } = await ask(await asCaller(namespace), { typeUrl, resourceNames });
    return resources.map((any) => any.typeUrl.replace(/^.*\./, ""));
  };
  const parts = ["Bootstrap", "Clusters", "Listeners", "ScopedRoutes", "Routes", "Secrets", "Ecds"];
  expect(await dump("istio-system", "reviews-v1.default")).toEqual(parts.map((part) => `${part}ConfigDump`));
  expect(await dump("other", "client.other")).toHaveLength(7);
  expect(await dump("other", "reviews-v1.default")).toEqual([]);
  expect(await dump("istio-system", "nobody")).toEqual([]);
  expect(await dump("istio-system")).toEqual([]);
  expect(await dump("istio-system", "a", "b")).toEqual([]);
});

test("a page by its name: its bytes as they are", async () => {
  const page = async (...resourceNames: string[]): Promise<string[]> =>
    bodies(await ask(await asCaller("istio-system"), { typeUrl: "istio.io/debug", resourceNames }));
  expect(await page("clusterz")).toEqual([
    'istio.io/debug [{"id":"Kubernetes","secretName":"","syncStatus":"synced"}]',
  ]);
  expect(await page("adsz?proxyID=nobody")).toEqual([
    "istio.io/debug Proxy not connected to this Pilot instance. It may be connected to another instance.\n",
  ]);
  expect(await page("edsz")).toEqual(["istio.io/debug You must provide a proxyID in the query string\n"]);
  expect(await page("nothing")).toEqual(["istio.io/debug 404 page not found\n"]);
});

test.each([
  ["istio-system", [], grpc.status.INVALID_ARGUMENT, "exactly one debug request is required"],
  ["istio-system", ["syncz", "adsz"], grpc.status.INVALID_ARGUMENT, "exactly one debug request is required"],
  [
    "other",
    ["registryz"],
    grpc.status.PERMISSION_DENIED,
    'the debug info is not available for current identity: "spiffe://cluster.local/ns/other/sa/default"',
  ],
])("a caller of %s that asks for %j is refused", async (namespace, resourceNames, code, details) => {
  const asked = ask(await asCaller(namespace), { typeUrl: "istio.io/debug", resourceNames });
  await expect(asked).rejects.toMatchObject({ code, details });
});

test.each(["istio.io/debug", "istio.io/debug/syncz"])("without TLS nobody gets %s", async (typeUrl) => {
  const client = new grpc.Client(`127.0.0.1:${pilot.xdsPort}`, grpc.credentials.createInsecure());
  const caller = { client, namespace: "istio-system" };
  await expect(ask(caller, { typeUrl, resourceNames: ["syncz"] })).rejects.toMatchObject({
    code: grpc.status.UNAUTHENTICATED,
    details: "authentication required",
  });
});

test("a caller of another namespace may see what its proxies should hold, and no page else", async () => {
  const page = async (name: string): Promise<string[]> =>
    bodies(await ask(await asCaller("other"), { typeUrl: "istio.io/debug", resourceNames: [name] }));
  expect((await page("ndsz?proxyID=client"))[0]).toContain("istio.networking.nds.v1.NameTable");
  expect((await page("ndsz?proxyID=reviews"))[0]).toContain("Proxy not connected");
});
