import type { PeerName } from "../../peers/install/recipes.ts";
import { installGatewayApi, istioNamespace, prepareForIstio } from "../../peers/istio-objects.ts";
import { chartFolder, parseRendered, renderChart } from "../../peers/keelson-chart.ts";
import { type KubeApiserver, startKubeApiserver } from "../../peers/kube-apiserver.ts";
import { type PilotDiscovery, startPilotDiscovery } from "../../peers/pilot-discovery.ts";
import { freePort } from "../../world/free-port.ts";
import { KubeClient } from "../kube-client.ts";

export const writingPeers: readonly PeerName[] = ["etcd", "kube-apiserver", "kubectl", "helm", "istiod"];

/** The one that the chart lets the control plane write. */
export const ownConfiguration = "istio-validator-istio-system";

/** A real API server, and a control plane that writes to it with the rights that the chart gives, and no others. */
export class WritingWorld {
  readonly apiserver: KubeApiserver;
  readonly client: KubeClient;
  readonly pilot: PilotDiscovery;

  private constructor(apiserver: KubeApiserver, client: KubeClient, pilot: PilotDiscovery) {
    this.apiserver = apiserver;
    this.client = client;
    this.pilot = pilot;
  }

  static async start(): Promise<WritingWorld> {
    const users = ["reader", "nobody"].map((name) => ({ name, groups: [] }));
    const apiserver = await startKubeApiserver({ users });
    await prepareForIstio(apiserver);
    await installGatewayApi(apiserver, "standard");
    await giveRights(apiserver);
    const port = await freePort();
    await apiserver.apply(
      configuration(ownConfiguration, "default", port),
      configuration("others", "canary", port),
    );
    const audience = "https://kubernetes.default.svc.cluster.local";
    const token = await apiserver.serviceAccountToken(istioNamespace, "istiod", audience);
    const kubeconfig = await apiserver.kubeconfigWith("istiod", token);
    const pilot = await startPilotDiscovery({
      args: [`--kubeconfig=${kubeconfig}`, `--httpsAddr=127.0.0.1:${port}`],
      environment: { ISTIOD_CUSTOM_HOST: "localhost" },
    });
    return new WritingWorld(apiserver, await KubeClient.of(apiserver.kubeconfig), pilot);
  }

  /** The sum of a counter of the control plane over all of its labels. */
  async counter(name: string): Promise<number> {
    const { body } = await this.pilot.get("/metrics");
    const values = body.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\d+)$`, "gm"));
    return [...values].reduce((sum, [, value]) => sum + Number(value), 0);
  }

  async stop(): Promise<void> {
    await this.pilot.stop();
    this.client.close();
    await this.apiserver.stop();
  }
}

/** Makes what the chart has of accounts, roles and their bindings. */
async function giveRights(apiserver: KubeApiserver): Promise<void> {
  const rendered = parseRendered(await renderChart(istioNamespace));
  const rights = rendered.filter(({ kind }) => /^(ServiceAccount|(Cluster)?Role(Binding)?)$/.test(kind));
  if (rights.length === 0) throw new Error(`${chartFolder} gives no rights`);
  await apiserver.apply(...rights);
}

/** As istiod's chart makes it, but for an address that is no Service's. */
export const configuration = (name: string, revision: string, port: number) => ({
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
