// A real API server asks us before it takes a rule, and is told how it reaches us.
import { afterAll, beforeAll, expect } from "vitest";
import { KubeClient } from "../kubernetes/kube-client.ts";
import type { PeerName } from "../peers/install/recipes.ts";
import { prepareForIstio } from "../peers/istio-objects.ts";
import { type KubeApiserver, startKubeApiserver } from "../peers/kube-apiserver.ts";
import { missingPeers } from "../peers/peer-cache.ts";
import { peerTest } from "../peers/peer-test.ts";
import { type PilotDiscovery, startPilotDiscovery } from "../peers/pilot-discovery.ts";
import { freePort } from "../world/free-port.ts";
import { until } from "../world/until.ts";

const peers: readonly PeerName[] = ["etcd", "kube-apiserver", "kubectl", "istiod"];
const configurations = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations";
const gateways = "/apis/networking.istio.io/v1/namespaces/default/gateways";

let apiserver: KubeApiserver;
let client: KubeClient;
let pilot: PilotDiscovery;

/** As istiod's chart makes it, but for an address that is no Service's. */
const configuration = (name: string, revision: string, port: number): object => ({
  apiVersion: "admissionregistration.k8s.io/v1",
  kind: "ValidatingWebhookConfiguration",
  metadata: { name, labels: { "istio.io/rev": revision } },
  webhooks: [
    {
      name: "rev.validation.istio.io",
      clientConfig: { url: `https://localhost:${port}/validate` },
      rules: [
        {
          operations: ["CREATE", "UPDATE"],
          apiGroups: [
            "security.istio.io",
            "networking.istio.io",
            "telemetry.istio.io",
            "extensions.istio.io",
          ],
          apiVersions: ["*"],
          resources: ["*"],
        },
      ],
      failurePolicy: "Ignore",
      sideEffects: "None",
      admissionReviewVersions: ["v1"],
      objectSelector: { matchLabels: { "istio.io/rev": revision } },
    },
  ],
});

beforeAll(async () => {
  if (await missingPeers(...peers)) return;
  apiserver = await startKubeApiserver();
  await prepareForIstio(apiserver);
  client = await KubeClient.of(apiserver.kubeconfig);
  const port = await freePort();
  await apiserver.apply(configuration("ours", "default", port), configuration("others", "canary", port));
  pilot = await startPilotDiscovery({
    args: [`--kubeconfig=${apiserver.kubeconfig}`, `--httpsAddr=127.0.0.1:${port}`],
    environment: { ISTIOD_CUSTOM_HOST: "localhost" },
  });
}, 300_000);

afterAll(async () => {
  await pilot?.stop();
  client?.close();
  await apiserver?.stop();
});

interface Webhook {
  readonly failurePolicy: string;
  readonly clientConfig: { readonly caBundle?: string };
}

async function webhookOf(name: string): Promise<Webhook | undefined> {
  const { text } = await client.get(`${configurations}/${name}`);
  return (JSON.parse(text) as { webhooks: readonly Webhook[] }).webhooks[0];
}

const root = async (): Promise<string> => {
  const { text } = await client.get("/api/v1/namespaces/default/configmaps/istio-ca-root-cert");
  return (JSON.parse(text) as { data: Record<string, string> }).data["root-cert.pem"] ?? "";
};

const untilClosed = (): Promise<boolean> =>
  until(async () => (await webhookOf("ours"))?.failurePolicy === "Fail", {
    what: "the webhook to be known to work",
  });

peerTest(
  peers,
  "our configurations get the root, and fail closed once the check is known to work",
  async () => {
    await untilClosed();
    const { caBundle = "" } = (await webhookOf("ours"))?.clientConfig ?? {};
    expect(Buffer.from(caBundle, "base64").toString("utf8")).toBe(await root());
    const others = await webhookOf("others");
    expect(others?.clientConfig.caBundle).toBeUndefined();
    expect(others?.failurePolicy).toBe("Ignore");
    // What the trial was made with is nowhere.
    expect((await client.get(gateways.replace("default", "istio-system"))).text).toContain('"items":[]');
  },
);

peerTest(peers, "a bundle that is taken away, and an open door, are put right", async () => {
  await untilClosed();
  const { clientConfig } = (await webhookOf("ours")) ?? {};
  const { url } = clientConfig as { url?: string };
  const [open] = (configuration("ours", "default", 0) as { webhooks: readonly object[] }).webhooks;
  await client.patch(`${configurations}/ours`, {
    webhooks: [{ ...open, clientConfig: { url }, failurePolicy: "Ignore" }],
  });
  await untilClosed();
  expect((await webhookOf("ours"))?.clientConfig).toEqual(clientConfig);
});

const labels = { "istio.io/rev": "default" };
const virtualService = (http: unknown): object => ({
  apiVersion: "networking.istio.io/v1",
  kind: "VirtualService",
  metadata: { name: "reviews", namespace: "default", labels },
  spec: { hosts: ["reviews"], http },
});

peerTest(
  peers,
  "a rule that would be left out is refused, with the reason; what is not read is said",
  async () => {
    await untilClosed();
    const apply = async (object: object): Promise<string> =>
      apiserver
        .kubectl(["create", "-f", "-"], { input: JSON.stringify(object) })
        .catch((error: Error) => error.message);
    const route = [{ destination: { host: "reviews" } }];
    const both = virtualService([{ route, redirect: { uri: "/elsewhere" } }]);
    const refused = await apply(both);
    expect(refused).toContain('admission webhook "rev.validation.istio.io" denied the request: ');
    expect(refused).toContain("spec.http[0]");
    expect(await apply(virtualService([{ route }]))).toContain(
      "virtualservice.networking.istio.io/reviews created",
    );
    // Not for this control plane, so not its business.
    const unlabelled = {
      ...both,
      metadata: { name: "canary", namespace: "default", labels: { "istio.io/rev": "x" } },
    };
    expect(await apply(unlabelled)).toContain("created");
    const metrics = (await pilot.get("/metrics")).body;
    expect(metrics).toContain(
      'galley_validation_failed{group="networking.istio.io",resource="VirtualService"',
    );
    expect(metrics).toContain(
      'galley_validation_passed{group="networking.istio.io",resource="VirtualService"} 1',
    );
  },
);
