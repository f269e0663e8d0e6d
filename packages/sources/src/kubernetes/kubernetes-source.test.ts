import { expect, onTestFinished, test, vi } from "vitest";
import { KubernetesSource } from "./kubernetes-source.ts";
import { rawPod, rawService, rawSlice } from "./testing/raw-objects.ts";
import { refuse, TestApi } from "./testing/test-api.ts";

const patience = { timeout: 20_000, interval: 5 };
const paths = {
  services: "/api/v1/services",
  pods: "/api/v1/pods",
  slices: "/apis/discovery.k8s.io/v1/endpointslices",
  endpoints: "/api/v1/endpoints",
  rules: "/apis/config.istio.io/v1alpha2/routerules",
};

function newSource(api: TestApi): { source: KubernetesSource; told: () => number } {
  const timing = { backoffMs: 5, maximumBackoffMs: 20, absentMs: 50 };
  const source = new KubernetesSource({ config: api.config, revision: "default", timing, gatherMs: 1 });
  let count = 0;
  source.onChange(() => count++);
  onTestFinished(() => source.close());
  return { source, told: () => count };
}

const namesOf = ({ snapshot }: KubernetesSource): string[] =>
  snapshot.objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`);

test("nothing is told before all that is essential has been listed; what is missing is named", async () => {
  const api = await TestApi.start(paths.services, paths.slices);
  api.put(paths.services, "reviews", rawService());
  const { source, told } = newSource(api);
  const started = source.start();
  await vi.waitUntil(() => Object.keys(source.health.waiting).length === 1, patience);
  expect(source.health.waiting).toEqual({ "kubernetes pods": "the API server does not serve the kind" });
  expect(told()).toBe(0);
  api.serve(paths.pods);
  api.put(paths.pods, "reviews-v1", rawPod());
  await started;
  expect(namesOf(source)).toEqual(["Service reviews", "Pod reviews-v1"]);
  expect(source.health).toEqual({ waiting: {}, failing: {} });
});

test("a rule whose kind appears later is read, and goes with its kind", async () => {
  const api = await TestApi.start(paths.services, paths.slices, paths.pods);
  const { source } = newSource(api);
  await source.start();
  api.serve(paths.rules);
  api.put(paths.rules, "all-v1", { spec: { destination: { name: "reviews" } } });
  await vi.waitUntil(() => namesOf(source).includes("RouteRule all-v1"), patience);
  api.unserve(paths.rules);
  await vi.waitUntil(() => source.snapshot.objects.length === 0, patience);
});

test("where slices may not be read, core Endpoints are; the refusal is told", async () => {
  const api = await TestApi.start(paths.services, paths.pods, paths.slices, paths.endpoints);
  api.put(paths.endpoints, "reviews", {
    subsets: [{ addresses: [{ ip: "10.1.0.1" }], ports: [{ name: "http", port: 9080 }] }],
  });
  api.next(
    ({ pathname }) => pathname === paths.slices,
    (response) => refuse(response, 403, "forbidden"),
    99,
  );
  const { source } = newSource(api);
  await source.start();
  expect(namesOf(source)).toEqual(["EndpointSlice reviews-0-ipv4"]);
  expect(source.snapshot.problems).toMatchObject([
    { severity: "warning", message: "may not list endpointslices.discovery.k8s.io (403: forbidden)" },
  ]);
});

test("changes of what nobody reads are told to nobody", async () => {
  const api = await TestApi.start(paths.services, paths.pods, paths.slices);
  api.put(paths.services, "reviews", rawService());
  api.put(paths.pods, "reviews-v1", rawPod());
  api.put(paths.slices, "reviews-x7", rawSlice());
  const { source, told } = newSource(api);
  await source.start();
  await vi.waitUntil(() => api.watching(paths.slices) === 1, patience);
  api.put(paths.services, "reviews", rawService({}, { labels: { team: "b" }, annotations: { note: "x" } }));
  api.put(paths.pods, "reviews-v1", rawPod({ annotations: { note: "x" } }));
  api.put(paths.slices, "reviews-x7", rawSlice({}, { annotations: {} }));
  // What follows on the same watch shows that the others have been read.
  for (const [path, name] of [
    [paths.services, "zz"],
    [paths.pods, "zz"],
    [paths.slices, "zz"],
  ] as const) {
    const before = told();
    api.put(path, name, {
      ...{ [paths.services]: rawService(), [paths.pods]: rawPod(), [paths.slices]: rawSlice() }[path],
    });
    await vi.waitUntil(() => told() > before, patience);
  }
  expect(told()).toBe(4);
});

test("a server that is lost keeps its objects, and is named until it is back", async () => {
  const api = await TestApi.start(paths.services, paths.pods, paths.slices);
  api.put(paths.services, "reviews", rawService());
  const { source } = newSource(api);
  await source.start();
  await vi.waitUntil(() => api.watching(paths.services) === 1, patience);
  api.next(
    () => true,
    (response) => response.destroy(),
    60,
  );
  for (const path of [paths.services, paths.pods, paths.slices]) api.cut(path);
  await vi.waitUntil(() => "kubernetes services" in source.health.failing, patience);
  expect(namesOf(source)).toEqual(["Service reviews"]);
  await vi.waitUntil(() => Object.keys(source.health.failing).length === 0, patience);
});
