// A real API server, our control plane behind a proxy that can be cut, and what goes wrong between them.

import { debugPaths, type StatusView } from "@keelson/model";
import { KubernetesSource, loadKubeConfig } from "@keelson/sources";
import { afterAll, beforeAll, expect } from "vitest";
import { askAsApplier } from "../kubernetes/ask-as-applier.ts";
import { CuttableProxy } from "../kubernetes/cuttable-proxy.ts";
import { KubeClient } from "../kubernetes/kube-client.ts";
import {
  ingressClassOf,
  ingressOf,
  node,
  paths,
  pod,
  podStatus,
  routeRuleDefinition,
  service,
  slice,
} from "../kubernetes/objects.ts";
import { PolicyView } from "../kubernetes/policy-view.ts";
import { untilSameAsServed } from "../kubernetes/same-as-served.ts";
import type { PeerName } from "../peers/install/recipes.ts";
import { prepareForIstio } from "../peers/istio-objects.ts";
import { type KubeApiserver, startKubeApiserver } from "../peers/kube-apiserver.ts";
import { missingPeers } from "../peers/peer-cache.ts";
import { peerTest } from "../peers/peer-test.ts";
import { type PilotDiscovery, startPilotDiscovery } from "../peers/pilot-discovery.ts";
import { until } from "../world/until.ts";

const peers: readonly PeerName[] = ["etcd", "kube-apiserver", "kubectl", "istiod"];
const hostname = (name: string): string => `${name}.default.svc.cluster.local`;
const subset = (name: string, version: string): string =>
  `outbound|9080|version=${version}|${hostname(name)}`;

/** What Pilot of 0.2.12 may read of what we read (its ClusterRole istio-pilot). */
const oldRole = {
  apiVersion: "rbac.authorization.k8s.io/v1",
  kind: "ClusterRole",
  metadata: { name: "old-pilot" },
  rules: [
    { apiGroups: ["config.istio.io"], resources: ["*"], verbs: ["*"] },
    { apiGroups: [""], resources: ["configmaps", "endpoints", "pods", "services"], verbs: ["*"] },
    { apiGroups: [""], resources: ["namespaces", "nodes", "secrets"], verbs: ["get", "list", "watch"] },
  ],
};

let apiserver: KubeApiserver;
let proxy: CuttableProxy;
let client: KubeClient;
let pilot: PilotDiscovery;
let view: PolicyView;
let source: KubernetesSource;

beforeAll(async () => {
  if (await missingPeers(...peers)) return;
  apiserver = await startKubeApiserver({ users: [{ name: "old-pilot", groups: [] }] });
  await prepareForIstio(apiserver);
  await apiserver.apply(
    routeRuleDefinition,
    { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "default", namespace: "default" } },
    node("node-a", "eu-1"),
  );
  proxy = await CuttableProxy.start(apiserver.port);
  client = await KubeClient.of(apiserver.kubeconfig);
  const kubeconfig = await apiserver.kubeconfigBy(proxy.port);
  pilot = await startPilotDiscovery({ args: [`--kubeconfig=${kubeconfig}`] });
  view = new PolicyView(`127.0.0.1:${pilot.ports.grpc}`);
  source = new KubernetesSource({ config: await loadKubeConfig(kubeconfig), revision: "default" });
  await source.start();
}, 300_000);

afterAll(async () => {
  await source?.close();
  await view?.close();
  await pilot?.stop();
  client?.close();
  await proxy?.close();
  await apiserver?.stop();
});

/** The sum of a counter over all of its labels. */
async function counter(name: string): Promise<number> {
  const { body } = await pilot.get("/metrics");
  const values = body.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\d+)$`, "gm"));
  return [...values].reduce((sum, [, value]) => sum + Number(value), 0);
}

const versions = { v1: "10.1.0.1", v2: "10.1.0.2", v3: "10.1.0.3" };

const both = async (): Promise<void> => {
  await untilSameAsServed(source, apiserver.kubeconfig, client);
  const served = source.snapshot.objects.filter(({ kind }) => kind === "Service");
  const wanted = served
    .map(({ metadata: { name, namespace } }) => `${name}.${namespace}.svc.cluster.local`)
    .sort();
  await until(() => view.services.join() === wanted.join(), {
    what: "the control plane to tell all services",
  });
};

peerTest(
  peers,
  "what kubectl applies is told to nodes: services, endpoints, places, rules old and new",
  async () => {
    await apiserver.apply(
      service("reviews"),
      ...Object.keys(versions).map((version) => pod("reviews", version)),
      slice("reviews", versions),
    );
    for (const [version, ip] of Object.entries(versions)) {
      await client.patch(`${paths.pods}/reviews-${version}/status`, podStatus(ip));
    }
    await until(() => view.endpoints(`outbound|9080||${hostname("reviews")}`).length === 3, {
      what: "all endpoints of reviews",
    });
    expect(view.endpoints(`outbound|9080||${hostname("reviews")}`)).toEqual(
      Object.values(versions).map((ip) => `${ip} eu/eu-1`),
    );
    await apiserver.apply({
      apiVersion: "config.istio.io/v1alpha2",
      kind: "RouteRule",
      metadata: { name: "reviews-default", namespace: "default" },
      spec: {
        destination: { name: "reviews" },
        precedence: 1,
        route: [
          { labels: { version: "v1" }, weight: 80 },
          { labels: { version: "v3" }, weight: 20 },
        ],
      },
    });
    const wantedOld = { [subset("reviews", "v1")]: 80, [subset("reviews", "v3")]: 20 };
    await until(() => view.destinations(hostname("reviews"))[subset("reviews", "v3")] === 20, {
      what: "the weights of the RouteRule",
    });
    expect(view.destinations(hostname("reviews"))).toEqual(wantedOld);
    await apiserver.kubectl(["delete", "routerule.config.istio.io", "reviews-default"]);
    await apiserver.apply(
      {
        apiVersion: "networking.istio.io/v1",
        kind: "DestinationRule",
        metadata: { name: "reviews", namespace: "default" },
        spec: { host: "reviews", subsets: [{ name: "two", labels: { version: "v2" } }] },
      },
      {
        apiVersion: "networking.istio.io/v1",
        kind: "VirtualService",
        metadata: { name: "reviews", namespace: "default" },
        spec: {
          hosts: ["reviews"],
          http: [{ route: [{ destination: { host: "reviews", subset: "two" } }] }],
        },
      },
    );
    await until(() => subset("reviews", "v2") in view.destinations(hostname("reviews")), {
      what: "the route of the VirtualService",
    });
    await both();
  },
);

peerTest(
  peers,
  "the mesh configuration is that of the ConfigMap beside the program, and follows it",
  async () => {
    const trustDomain = async (): Promise<unknown> =>
      (JSON.parse((await pilot.get("/debug/mesh")).body) as { trustDomain?: string }).trustDomain;
    expect(await trustDomain()).toBe("cluster.local");
    const change = { data: { mesh: "trustDomain: example.org\n" } };
    await client.patch(`/api/v1/namespaces/istio-system/configmaps/istio`, change);
    await until(async () => (await trustDomain()) === "example.org", {
      what: "the changed ConfigMap to count",
    });
  },
);

/** PEM: what a pod mounts. */
async function publishedRoot(): Promise<string> {
  const path = "/api/v1/namespaces/istio-system/configmaps/istio-ca-root-cert";
  const published = await until(
    async () => {
      const { status, text } = await client.get(path);
      return status === 200 ? text : undefined;
    },
    { what: "the root to be published" },
  );
  return (JSON.parse(published) as { data: { "root-cert.pem": string } }).data["root-cert.pem"];
}

/** What becomes of a stream with this token that says it acts for a node. */
async function asApplier(token: string, ofNode: string): Promise<string> {
  const root = await publishedRoot();
  const address = `127.0.0.1:${pilot.ports.secureGrpc}`;
  const call = { address, root, serverName: "istiod.istio-system.svc", token, node: ofNode };
  return askAsApplier(call).then(
    (services) => (services.includes(hostname("kubernetes")) ? "told" : `told of ${services.join()}`),
    (error: Error) => error.message,
  );
}

peerTest(
  peers,
  "the API server says whose a token is: an applier is told what its own node may know, and nobody else is",
  async () => {
    const namespace = "istio-system";
    const account = (name: string) => ({
      apiVersion: "v1",
      kind: "ServiceAccount",
      metadata: { name, namespace },
    });
    const applier = pod("applier", "a");
    await apiserver.apply(account("bpf-applier"), account("other"), {
      ...applier,
      metadata: { name: "applier-a", namespace },
      spec: { ...(applier["spec"] as object), serviceAccountName: "bpf-applier" },
    });
    const token = (name: string, audience = "istio-ca", boundTo = ""): Promise<string> =>
      apiserver.serviceAccountToken(namespace, name, audience, boundTo);
    const own = await token("bpf-applier", "istio-ca", "applier-a");
    const forged = `${own.slice(0, own.lastIndexOf("."))}.${"A".repeat(342)}`;
    expect(await asApplier(own, "node-a")).toBe("told");
    expect(await asApplier(own, "node-b")).toContain(
      'PERMISSION_DENIED: the node claims to be on "node-b"; its token was issued for node-a',
    );
    expect(await asApplier(await token("bpf-applier"), "node-a")).toContain(
      "is not bound to a Kubernetes node",
    );
    expect(await asApplier(await token("other"), "node-a")).toContain(
      "istio-system/other may not act for a node",
    );
    expect(await asApplier(await token("bpf-applier", "other", "applier-a"), "node-a")).toMatch(
      /UNAUTHENTICATED: TokenReview: the API server refuses the token: .*audience/,
    );
    expect(await asApplier(forged, "node-a")).toMatch(
      /UNAUTHENTICATED: TokenReview: the API server refuses the token: .*invalid bearer token/,
    );
    const other = await token("bpf-applier", "istio-ca", "applier-a");
    proxy.shut();
    expect(await asApplier(own, "node-a")).toBe("told");
    expect(await asApplier(other, "node-a")).toContain(
      "UNAUTHENTICATED: TokenReview: the API server does not say whose token it is",
    );
    proxy.open();
  },
);

/** Makes a service and waits until nodes are told. @returns how many pushes there have been. */
async function pushesUntilToldOf(name: string): Promise<number> {
  await apiserver.apply(service(name));
  await until(() => view.services.includes(hostname(name)), { what: `${name} to be told` });
  return counter("pilot_xds_pushes");
}

/** Waits for an Ingress to be none of ours, or ours. */
async function untilLeftToOthers(ingress: string, isLeft: boolean): Promise<void> {
  const look = async (): Promise<boolean> => {
    const { problems } = JSON.parse((await pilot.get(debugPaths.status)).body) as StatusView;
    return problems.some(({ object, message }) => object === ingress && /left to others/.test(message));
  };
  await until(async () => (await look()) === isLeft, { what: `${ingress} to be left to others: ${isLeft}` });
}

peerTest(
  peers,
  "pods of a namespace that opts out are left alone, but for those that say otherwise",
  async () => {
    const mode = "istio.io/dataplane-mode";
    const inApart = (object: object): object => ({
      ...object,
      metadata: { ...("metadata" in object ? (object.metadata as object) : {}), namespace: "apart" },
    });
    await apiserver.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: "apart" } });
    await apiserver.apply(
      inApart({ apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "default" } }),
      inApart(pod("shop", "silent")),
      inApart(pod("shop", "in")),
    );
    await apiserver.kubectl(["--namespace=apart", "label", "pod/shop-in", `${mode}=ambient`]);
    const told = (silent: string) => (): boolean =>
      view.leftAlone("apart/shop-silent") === silent && view.leftAlone("apart/shop-in") === "UNSPECIFIED";
    await until(told("UNSPECIFIED"), { what: "the node to be told of both pods" });
    await apiserver.kubectl(["label", "namespace/apart", `${mode}=none`]);
    await until(told("NAMESPACE_OPTED_OUT"), { what: "the node to leave the silent pod alone" });
    await apiserver.kubectl(["label", "namespace/apart", `${mode}-`]);
    await until(told("UNSPECIFIED"), { what: "the node to decide for the silent pod again" });
  },
);

peerTest(peers, "changes of labels and annotations that nobody reads push nothing", async () => {
  const ingress = "/apis/networking.k8s.io/v1/namespaces/default/ingresses/front";
  const ingressClass = "/apis/networking.k8s.io/v1/ingressclasses/mesh";
  await apiserver.apply(ingressOf("mesh", "reviews"));
  await untilLeftToOthers("Ingress default/front", true);
  await apiserver.apply(ingressClassOf("mesh"));
  await untilLeftToOthers("Ingress default/front", false);
  // What is still under way from before comes before this one.
  const begin = await pushesUntilToldOf("sentinel-1");
  const ofOne = (await pushesUntilToldOf("sentinel-2")) - begin;
  expect(ofOne).toBeGreaterThan(0);
  const events = await counter("pilot_k8s_reg_events");
  const ruleEvents = await counter("pilot_k8s_cfg_events");
  const note = {
    metadata: { annotations: { "example.org/note": "x" }, labels: { "example.org/team": "a" } },
  };
  await client.patch(`${paths.services}/reviews`, note);
  await client.patch(`${paths.slices}/reviews-a`, note);
  await client.patch(`${paths.nodes}/node-a`, note);
  // A pod's labels are told to its node, all of them.
  await client.patch(`${paths.pods}/reviews-v1`, {
    metadata: { annotations: note.metadata.annotations },
  });
  await client.patch(`${paths.virtualServices}/reviews`, note);
  await client.patch(ingress, note);
  await client.patch(ingressClass, note);
  await until(async () => (await counter("pilot_k8s_reg_events")) >= events + 4, {
    what: "the control plane to read the changes",
  });
  await until(async () => (await counter("pilot_k8s_cfg_events")) >= ruleEvents + 3, {
    what: "the control plane to read the changes of rules",
  });
  expect((await pilot.get("/metrics")).body).toContain(
    'pilot_k8s_reg_events{type="Service",event="updatesame"} 1',
  );
  expect((await pushesUntilToldOf("sentinel-3")) - begin).toBe(2 * ofOne);
});

peerTest(peers, "a connection that is cut again and again loses nothing", async () => {
  for (let i = 0; i < 8; i++) {
    await client.create(paths.services, service(`cut-${i}`));
    proxy.cut();
    if (i % 2 === 1) await client.remove(`${paths.services}/cut-${i - 1}`);
  }
  await both();
});

peerTest(peers, "a burst of objects, half of them gone before they are read", async () => {
  const names = Array.from({ length: 150 }, (_, i) => `burst-${i}`);
  await Promise.all(
    names.map(async (name, i) => {
      await client.create(paths.services, service(name));
      await client.create(paths.slices, slice(name, {}));
      if (i % 2 === 0) await client.remove(`${paths.services}/${name}`);
    }),
  );
  await both();
});

peerTest(
  peers,
  "an API server that is killed, and that has forgotten the place when it comes back",
  async () => {
    const place = await resourceVersion();
    proxy.shut();
    await client.remove(`${paths.services}/burst-3`);
    await client.create(paths.services, service("while-away"));
    await client.patch(`${paths.nodes}/node-a`, {
      metadata: { labels: { "topology.kubernetes.io/zone": "eu-2" } },
    });
    await apiserver.etcd.compact(Number(await resourceVersion()));
    await apiserver.kill();
    await until(() => Object.keys(source.health.failing).length > 0, { what: "the loss to be noticed" });
    expect(view.services).toContain(hostname("burst-3"));
    await apiserver.restart();
    // The new API server remembers nothing of before, and neither does etcd.
    const { text } = await client.get(`/api/v1/services?watch=1&timeoutSeconds=1&resourceVersion=${place}`);
    expect(text).toContain('"code":410');
    proxy.open();
    await both();
    await until(() => view.endpoints(subset("reviews", "v2")).join() === "10.1.0.2 eu/eu-2", {
      what: "the node's new place",
    });
    await until(() => Object.keys(source.health.failing).length === 0, { what: "the trouble to be over" });
  },
);

async function resourceVersion(): Promise<string> {
  const { text } = await client.get("/api/v1/services?limit=1");
  return (JSON.parse(text) as { metadata: { resourceVersion: string } }).metadata.resourceVersion;
}

peerTest(
  peers,
  "with the rights of Pilot 0.2.12: core Endpoints in place of slices, what is refused is named",
  async () => {
    await apiserver.apply(oldRole, {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "ClusterRoleBinding",
      metadata: { name: "old-pilot" },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "old-pilot" },
      subjects: [{ kind: "User", name: "old-pilot", apiGroup: "rbac.authorization.k8s.io" }],
    });
    await client.create(paths.endpoints, {
      apiVersion: "v1",
      kind: "Endpoints",
      metadata: { name: "reviews", namespace: "default" },
      subsets: [{ addresses: [{ ip: "10.1.0.9" }], ports: [{ name: "http", port: 9080 }] }],
    });
    const config = await loadKubeConfig(await apiserver.kubeconfigOf("old-pilot"));
    const old = new KubernetesSource({ config, revision: "default" });
    await old.start();
    const slices = old.snapshot.objects.filter(({ kind }) => kind === "EndpointSlice");
    expect(slices.map(({ metadata }) => metadata.name)).toEqual(["reviews-0-ipv4"]);
    const refused = old.snapshot.problems.map(
      ({ message }) => /^may not list (\S+) \(403/.exec(message)?.[1],
    );
    expect(refused).toEqual(
      expect.arrayContaining(["endpointslices.discovery.k8s.io", "sidecars.networking.istio.io"]),
    );
    // Each once; what is no part of this cluster is not named at all.
    expect(refused).toEqual([...new Set(refused)]);
    expect(refused).not.toContain("httproutes.gateway.networking.k8s.io");
    await old.close();
  },
);
