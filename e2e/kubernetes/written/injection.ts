import { readFile } from "node:fs/promises";
import { expect } from "vitest";
import { requirePeer } from "../../peers/peer-cache.ts";
import { peerTest } from "../../peers/peer-test.ts";
import { runProgram } from "../../peers/run-program.ts";
import { until } from "../../world/until.ts";
import { ownConfiguration, writingPeers as peers, type WritingWorld } from "./writing-world.ts";

const admission = "/apis/admissionregistration.k8s.io/v1";
const namespace = "with-sidecars";

/** What istiod's roles give beside the chart's; both are taken back at the end. */
const role = "istiod-webhooks";
const rights = [
  {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "ClusterRole",
    metadata: { name: role },
    rules: [
      {
        apiGroups: ["admissionregistration.k8s.io"],
        resources: ["mutatingwebhookconfigurations"],
        verbs: ["get", "update"],
      },
    ],
  },
  {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "ClusterRoleBinding",
    metadata: { name: role },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: role },
    subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "Group", name: "system:serviceaccounts" }],
  },
];

/** The API server asks for sidecars, as istiod's chart has it, and refuses pods without an answer. */
export function injectionTests(world: () => WritingWorld): void {
  /** As in the configuration beside, but for the root. */
  async function clientConfig(): Promise<{ url: string }> {
    const path = `${admission}/validatingwebhookconfigurations/${ownConfiguration}`;
    const { text } = await world().client.get(path);
    const { webhooks } = JSON.parse(text) as { webhooks: { clientConfig: { url: string } }[] };
    return { url: webhooks[0]?.clientConfig.url.replace("/validate", "/inject") ?? "" };
  }

  const configuration = async (): Promise<object> => ({
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "MutatingWebhookConfiguration",
    metadata: { name: "istio-sidecar-injector", labels: { "istio.io/rev": "default" } },
    webhooks: [
      {
        name: "namespace.sidecar-injector.istio.io",
        clientConfig: await clientConfig(),
        rules: [{ operations: ["CREATE"], apiGroups: [""], apiVersions: ["v1"], resources: ["pods"] }],
        failurePolicy: "Fail",
        sideEffects: "None",
        admissionReviewVersions: ["v1"],
        namespaceSelector: { matchLabels: { "istio-injection": "enabled" } },
      },
    ],
  });

  async function kubectlCreate(pod: object): Promise<string> {
    const { program } = await requirePeer("kubectl");
    const args = ["--kubeconfig", world().apiserver.kubeconfig, "create", "-f", "-"];
    const { code, stderr } = await runProgram(program, args, { input: JSON.stringify(pod) });
    expect(code, stderr).toBe(0);
    return stderr;
  }

  const pod = (name: string, image: string, labels = {}): object => ({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace, labels },
    spec: { containers: [{ name: "app", image }] },
  });

  peerTest(
    peers,
    "pods of a namespace that asks for sidecars are made without, and kubectl says so",
    async () => {
      const labels = { "istio-injection": "enabled" };
      await world().apiserver.apply({
        apiVersion: "v1",
        kind: "Namespace",
        metadata: { name: namespace, labels },
      });
      await world().apiserver.apply({
        apiVersion: "v1",
        kind: "ServiceAccount",
        metadata: { name: "default", namespace },
      });
      await world().apiserver.apply(...rights);
      await world().apiserver.apply(await configuration());
      const path = `${admission}/mutatingwebhookconfigurations/istio-sidecar-injector`;
      await until(async () => (await world().client.get(path)).text.includes('"caBundle":"'), {
        what: "the root in the configuration",
      });
      const before = await world().counter("sidecar_injection_requests_total");
      // A configuration counts a moment after it is made.
      await until(
        async () => {
          await kubectlCreate(pod(`probe-${performance.now().toFixed(0)}`, "app"));
          return (await world().counter("sidecar_injection_requests_total")) > before;
        },
        { what: "the API server to ask for sidecars" },
      );
      expect(await kubectlCreate(pod("app", "app"))).toMatch(/^Warning: no sidecar was injected/m);
      expect(await kubectlCreate(pod("gateway", "auto"))).toMatch(
        /^Warning: container "app" .* cannot start/m,
      );
      expect(await kubectlCreate(pod("out", "app", { "sidecar.istio.io/inject": "false" }))).toBe("");
      const log = await readFile(world().pilot.process.logFile, "utf8");
      const told = log.split("\n").filter((line) => line.includes("none are injected"));
      expect(told).toEqual([expect.stringContaining(namespace)]);
      await world().apiserver.kubectl([
        "delete",
        "mutatingwebhookconfiguration/istio-sidecar-injector",
        `clusterrole/${role}`,
        `clusterrolebinding/${role}`,
      ]);
    },
  );
}
