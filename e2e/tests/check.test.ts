// keelson check on a real API server. Nothing runs in that cluster: what it holds is what is told.
import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, expect } from "vitest";
import type { PeerName } from "../peers/install/recipes.ts";
import { crdFolder, createNamespace, parseRendered, renderChart } from "../peers/keelson-chart.ts";
import { type KubeApiserver, startKubeApiserver } from "../peers/kube-apiserver.ts";
import { missingPeers } from "../peers/peer-cache.ts";
import { peerTest } from "../peers/peer-test.ts";
import { runProgram } from "../peers/run-program.ts";
import { until } from "../world/until.ts";
import { cliProgram } from "../world/workspace.ts";

const peers: readonly PeerName[] = ["etcd", "kube-apiserver", "kubectl", "helm"];
const namespace = "istio-system";
const guest = "guest";

let apiserver: KubeApiserver;

beforeAll(async () => {
  if (await missingPeers(...peers)) return;
  apiserver = await startKubeApiserver({ users: [{ name: guest, groups: [] }] });
  await createNamespace(apiserver, namespace);
}, 300_000);

afterAll(() => apiserver?.stop());

interface Finding {
  readonly check: string;
  readonly state: string;
  readonly found: string;
}

/** What the command finds, as lines "STATE CHECK: FOUND", and what it ends with. */
async function check(
  kubeconfig: string,
  ...flags: string[]
): Promise<{ lines: string[]; code: number | undefined }> {
  const args = [cliProgram, "check", "--cluster", "--kubeconfig", kubeconfig, "-o", "json", ...flags];
  const { code, stdout, stderr } = await runProgram(process.execPath, args);
  expect(stderr).toBe("");
  const { groups } = JSON.parse(stdout) as { groups: { findings: Finding[] }[] };
  const findings = groups.flatMap((group) => group.findings);
  return { code, lines: findings.map(({ state, check: name, found }) => `${state} ${name}: ${found}`) };
}

const line = (start: string): unknown => expect.stringMatching(new RegExp(`^${start}`));

/** A pod of a control plane, which nobody starts. */
const pod = (name: string, image: string, labels: Readonly<Record<string, string>>): object => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, namespace, labels: { app: "istiod", ...labels } },
  spec: { containers: [{ name: "discovery", image }] },
});

peerTest(
  peers,
  "an empty cluster before an installation: by its administrator, by a guest, gone",
  async () => {
    const empty = await check(apiserver.kubeconfig, "--pre");
    expect(empty).toMatchObject({ code: 0 });
    expect(empty.lines).toEqual(
      expect.arrayContaining([
        line("ok API server: v1[.]"),
        line("ok rules' definitions: not there yet: config[.]istio[.]io, networking[.]istio[.]io"),
        line("ok may install: all"),
        line("ok may grant: all"),
        "ok control planes: none yet",
        "ok webhooks: none of Istio's",
      ]),
    );
    const asGuest = await check(await apiserver.kubeconfigOf(guest), "--pre");
    expect(asGuest.code).toBe(1);
    expect(asGuest.lines).toEqual(
      expect.arrayContaining([
        line("error may install: this account may not: create deployments[.]apps, "),
        line("error may grant: this account may not: list services, "),
        line("warning may look: this account may not: list pods, "),
        line("skipped control planes: this account may not look: pods is forbidden"),
      ]),
    );
    const gone = await check(await apiserver.kubeconfigBy(1));
    expect(gone).toMatchObject({ code: 1, lines: [line("error API server: .*ECONNREFUSED")] });
  },
);

peerTest(peers, "one with an istiod, its webhook and its lock, and then with ours", async () => {
  const root = await readFile(apiserver.authorityFile, "utf8");
  const leader = {
    holderIdentity: "istiod-1",
    leaseDurationSeconds: 30,
    renewTime: new Date().toISOString(),
  };
  await apiserver.apply(
    pod("istiod-1", "docker.io/istio/pilot:1.30.3", { istio: "pilot" }),
    {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: {
        name: "istio-leader",
        namespace,
        annotations: { "control-plane.alpha.kubernetes.io/leader": JSON.stringify(leader) },
      },
    },
    {
      apiVersion: "admissionregistration.k8s.io/v1",
      kind: "MutatingWebhookConfiguration",
      metadata: { name: "istio-sidecar-injector" },
      webhooks: [
        {
          name: "namespace.sidecar-injector.istio.io",
          // It is for nothing that this test makes.
          namespaceSelector: { matchLabels: { "istio-injection": "enabled" } },
          clientConfig: { service: { name: "istiod", namespace } },
          sideEffects: "None",
          admissionReviewVersions: ["v1"],
        },
      ],
    },
  );
  const before = await check(apiserver.kubeconfig, "--pre");
  expect(before.code).toBe(1);
  expect(before.lines).toEqual(
    expect.arrayContaining([
      line(
        "warning control planes: istio-system/istiod-1 [(]docker[.]io/istio/pilot:1[.]30[.]3, not ready[)]",
      ),
      "ok locks: istio-leader by istiod-1",
      line("error webhooks: istio-sidecar-injector calls istio-system/istiod, which is not there"),
    ]),
  );

  await apiserver.kubectl(["apply", "--server-side", "-f", crdFolder]);
  await apiserver.kubectl(["wait", "--for=condition=Established", "--timeout=60s", "crds", "--all"]);
  await apiserver.apply(...parseRendered(await renderChart(namespace)));
  const withoutPods = await check(apiserver.kubeconfig);
  expect(withoutPods.lines).toContain("error control plane: Deployment istio-system/istiod has no pod");
  await apiserver.apply(pod("istiod-2", "registry/pilot:0.1.0", { "app.kubernetes.io/part-of": "keelson" }), {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "istio-ca-root-cert", namespace },
    data: { "root-cert.pem": root },
  });
  // A group that has just been defined is told of a moment later.
  const after = await until(
    async () => {
      const seen = await check(apiserver.kubeconfig);
      return seen.lines.some((text) => text.startsWith("warning rules' definitions")) ? undefined : seen;
    },
    { what: "the API server to tell of all groups of rules" },
  );
  expect(after.code).toBe(1);
  expect(after.lines.find((text) => text.includes("rules' definitions"))).toMatch(
    /^ok .*config\.istio\.io v1beta1, v1alpha2 \(.*\); networking\.istio\.io v1/,
  );
  expect(after.lines).toEqual(
    expect.arrayContaining([
      // Nobody starts it.
      line("error control plane: istio-system/istiod-2 [(]registry/pilot:0[.]1[.]0, not ready[)]"),
      line("ok other control planes: istio-system/istiod-1"),
      line("warning webhooks: istio-sidecar-injector calls istio-system/istiod$"),
      line("(ok|warning) agents: "),
      line("ok root certificate: .*, ends on \\d{4}-"),
      line("warning root in namespaces: not in default, kube-system"),
    ]),
  );
});
