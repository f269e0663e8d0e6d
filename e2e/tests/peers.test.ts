// Each peer of the end-to-end tests starts and does something real, without any of Keelson: what they say to each other
// is what Keelson has to say.
import { credentials } from "@grpc/grpc-js";
import { DeltaXdsClient } from "@keelson/xds";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { grpcService, headerIs, toVersions, versionSubsets, virtualService } from "../grpc/objects.ts";
import { grpcLanguages, startEchoClient, startEchoServer } from "../peers/echo.ts";
import { startEnvoy } from "../peers/envoy.ts";
import { proxylessBootstrap } from "../peers/grpc-bootstrap.ts";
import { runHelm } from "../peers/helm.ts";
import type { PeerName } from "../peers/install/recipes.ts";
import { installGatewayApi, istioNamespace, prepareForIstio } from "../peers/istio-objects.ts";
import { runIstioctl } from "../peers/istioctl.ts";
import { forUpstreamEnvoy, type Istiod, startIstiod } from "../peers/istiod.ts";
import { type KubeApiserver, startKubeApiserver } from "../peers/kube-apiserver.ts";
import { missingPeers, requirePeer } from "../peers/peer-cache.ts";
import { peerTest } from "../peers/peer-test.ts";
import { startPilotAgent } from "../peers/pilot-agent.ts";
import { istioRelease, kubernetes } from "../peers/versions.ts";
import { freePort } from "../world/free-port.ts";
import { until } from "../world/until.ts";

const clusterPeers: readonly PeerName[] = ["etcd", "kube-apiserver", "kubectl"];
const istioPeers: readonly PeerName[] = [...clusterPeers, "istiod"];

/** Of the hook that starts the cluster. */
const setUpTimeoutMs = 300_000;

let apiserver: KubeApiserver;
let istiod: Istiod;

beforeAll(async () => {
  if (await missingPeers(...clusterPeers)) return;
  apiserver = await startKubeApiserver({ users: [{ name: "reader", groups: ["readers"] }] });
  if (await missingPeers("istiod")) return;
  await prepareForIstio(apiserver);
  await installGatewayApi(apiserver, "standard");
  istiod = await startIstiod({ apiserver, mode: "secure", environment: forUpstreamEnvoy });
}, setUpTimeoutMs);

afterAll(async () => {
  await istiod?.stop();
  await apiserver?.stop();
});

peerTest(["envoy"], "Envoy is live", async () => {
  const envoy = await startEnvoy({ bootstrap: { node: { id: "test", cluster: "test" } } });
  expect(JSON.parse(await envoy.admin("/server_info"))).toMatchObject({
    state: "LIVE",
    node: { id: "test" },
  });
  await envoy.stop();
});

describe("Kubernetes", () => {
  peerTest(clusterPeers, "the API server is ready and says its version", async () => {
    expect(await apiserver.kubectl(["get", "--raw", "/readyz"])).toBe("ok");
    const versions = JSON.parse(await apiserver.kubectl(["version", "-o", "json"]));
    expect(versions.serverVersion.gitVersion).toBe(kubernetes.version);
    expect(versions.clientVersion.gitVersion).toBe(kubernetes.version);
  });

  peerTest(clusterPeers, "a user may do what RBAC gives, and no more", async () => {
    const asReader = ["--kubeconfig", await apiserver.kubeconfigOf("reader"), "get", "configmaps"];
    await expect(apiserver.kubectl(asReader)).rejects.toThrow("Forbidden");
    const rbac = "rbac.authorization.k8s.io";
    await apiserver.apply(
      {
        apiVersion: `${rbac}/v1`,
        kind: "ClusterRole",
        metadata: { name: "readers" },
        rules: [{ apiGroups: [""], resources: ["configmaps"], verbs: ["list"] }],
      },
      {
        apiVersion: `${rbac}/v1`,
        kind: "ClusterRoleBinding",
        metadata: { name: "readers" },
        roleRef: { apiGroup: rbac, kind: "ClusterRole", name: "readers" },
        subjects: [{ apiGroup: rbac, kind: "Group", name: "readers" }],
      },
    );
    await expect(apiserver.kubectl(asReader)).resolves.toBeDefined();
  });

  peerTest([...istioPeers, "helm"], "helm renders istiod's chart for the cluster", async () => {
    const { folder } = await requirePeer("istiod");
    const chart = `${folder}/charts/istio-control/istio-discovery`;
    const { kubeconfig } = apiserver;
    // In istio-system some of its objects are there already, and not helm's.
    const elsewhere = ["--namespace", "default", "--set", "global.istioNamespace=default"];
    const { code, stdout, stderr } = await runHelm(
      ["install", "istiod", chart, ...elsewhere, "--dry-run=server"],
      { kubeconfig },
    );
    expect(code, stderr).toBe(0);
    expect(stdout).toContain("image:");
    expect(stdout).toContain("kind: Deployment");
  });
});

peerTest(["istioctl"], "istioctl says its version", async () => {
  const { code, stdout } = await runIstioctl(["version", "--remote=false"]);
  expect({ code, stdout }).toMatchObject({ code: 0 });
  expect(stdout).toContain(istioRelease.version);
});

describe("istiod", () => {
  beforeAll(async () => {
    if (await missingPeers(...istioPeers)) return;
    await apiserver.apply(grpcService("seen.test", [{ address: "127.0.0.1:9", version: "v1" }]));
  });

  peerTest(istioPeers, "has its CRDs and the Gateway API's beside it", async () => {
    const served = await apiserver.kubectl(["api-resources", "-o", "name"]);
    expect(served).toContain("virtualservices.networking.istio.io");
    expect(served).toContain("httproutes.gateway.networking.k8s.io");
  });

  peerTest(istioPeers, "answers a delta ADS client", async () => {
    const clusters = new Set<string>();
    const seen = Promise.withResolvers<void>();
    const client = new DeltaXdsClient({
      address: `127.0.0.1:${istiod.ports.grpc}`,
      credentials: credentials.createInsecure(),
      node: {
        id: "sidecar~127.0.0.1~client.default~default.svc.cluster.local",
        metadata: { NAMESPACE: "default", CLUSTER_ID: "Kubernetes" },
      },
      typeUrls: ["type.googleapis.com/envoy.config.cluster.v3.Cluster"],
      onUpdate: async ({ added }) => {
        for (const { name } of added) clusters.add(name);
        if (clusters.has("outbound|8080||seen.test")) seen.resolve();
      },
    });
    client.start();
    await seen.promise;
    expect(clusters).toContain("BlackHoleCluster");
    await client.close();
  });

  peerTest([...istioPeers, "istioctl"], "answers istioctl on its TLS port", async () => {
    const address = `127.0.0.1:${istiod.ports.secureGrpc}`;
    const { code, stdout, stderr } = await runIstioctl(
      ["proxy-status", "--xds-address", address, "--insecure"],
      { kubeconfig: apiserver.kubeconfig },
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/^NAME +CLUSTER/);
  });

  peerTest(
    [...istioPeers, "pilot-agent", "envoy"],
    "gives pilot-agent a certificate for its Envoy",
    async () => {
      const namespace = "default";
      const account = { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "agent", namespace } };
      await apiserver.apply(account);
      const where = ["-n", istioNamespace, "configmap", "istio-ca-root-cert"];
      const root = await apiserver.kubectl(["get", ...where, "-o", "jsonpath={.data.root-cert\\.pem}"]);
      const agent = await startPilotAgent({
        discoveryAddress: `127.0.0.1:${istiod.ports.secureGrpc}`,
        discoveryName: "istiod.istio-system.svc",
        rootCertificate: root,
        token: await apiserver.serviceAccountToken(namespace, "agent", "istio-ca"),
        pod: { name: "agent-1", namespace, serviceAccount: "agent" },
      });
      await agent.ready();
      expect((await agent.admin("/certs")).body).toContain("spiffe://cluster.local/ns/default/sa/agent");
      await agent.stop();
    },
  );
});

describe.each(grpcLanguages)("%s", (language) => {
  const library: readonly PeerName[] = language === "grpc-js" ? [] : [language];

  peerTest([...library, "grpc-go", "grpcio"], "calls the servers of all languages", async () => {
    for (const other of grpcLanguages) {
      const server = await startEchoServer({ language: other, name: `on-${other}` });
      const client = await startEchoClient({ language, target: server.address });
      const tally = await client.send({ count: 20, concurrency: 4, headers: { "x-test": "1" } });
      expect(tally).toEqual({ answers: { [`on-${other}`]: 20 }, failures: {}, firstFailure: "" });
      await client.stop();
      await server.stop();
    }
  });

  peerTest(library, "says why nobody answered", async () => {
    const client = await startEchoClient({ language, target: "127.0.0.1:1" });
    const { answers, failures, firstFailure } = await client.send({ count: 2 });
    expect({ answers, failures }).toEqual({ answers: {}, failures: { UNAVAILABLE: 2 } });
    expect(firstFailure).toMatch(/refused/i);
    await client.stop();
  });

  peerTest(
    [...istioPeers, ...library],
    "follows istiod's routes as a client, and gets its listener as a server",
    async () => {
      const host = `${language}.test`;
      const bootstrap = proxylessBootstrap({
        discoveryAddress: `127.0.0.1:${istiod.ports.grpc}`,
        name: language,
        namespace: "default",
        address: "127.0.0.1",
      });
      const plain = await startEchoServer({ language, name: "v1" });
      const port = await freePort();
      await apiserver.apply(
        grpcService(host, [
          { address: plain.address, version: "v1" },
          { address: `127.0.0.1:${port}`, version: "v2" },
        ]),
        versionSubsets(host, ["v1", "v2"]),
        route(host, "v1"),
      );
      const byXds = await startEchoServer({
        language,
        name: "v2",
        xds: true,
        listen: `127.0.0.1:${port}`,
        bootstrap,
      });
      const client = await startEchoClient({ language, target: `xds:///${host}:8080`, bootstrap });

      const answersWith = async (headers: Record<string, string>, answers: Record<string, number>) => {
        const look = async () => {
          const tally = await client.send({ count: 10, headers });
          expect(tally).toEqual({ answers, failures: {}, firstFailure: "" });
          return true;
        };
        await until(look, { what: `${JSON.stringify(answers)} with headers ${JSON.stringify(headers)}` });
      };
      await answersWith({}, { v1: 10 });
      await answersWith({ "x-version": "v2" }, { v2: 10 });
      // grpcio does not tell.
      if (language !== "grpcio") expect(byXds.serving.at(-1)).toMatchObject({ serving: true });
      await apiserver.apply(route(host, "v2"));
      await answersWith({}, { v2: 10 });
      for (const peer of [client, plain, byXds]) await peer.stop();
    },
  );
});

/** All calls to one version, but those with the header x-version: v2 to v2. */
const route = (host: string, version: string) =>
  virtualService(host, [
    { match: headerIs("v2"), route: toVersions(host, { v2: 100 }) },
    { route: toVersions(host, { [version]: 100 }) },
  ]);
