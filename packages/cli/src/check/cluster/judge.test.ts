import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import {
  type DeploymentFacts,
  judgeAfter,
  judgeBefore,
  judgeLocks,
  type PodFacts,
} from "./control-planes.ts";
import { findCluster } from "./find-cluster.ts";
import { judgeDefinitions, judgeGroups, judgeNamespaces } from "./inventory.ts";
import { judgeAgents } from "./nodes.ts";
import { controlPlaneRights, judgeRefused } from "./permissions.ts";
import { judgeRoots } from "./root.ts";
import { judgeWebhooks, type WebhookConfiguration } from "./webhooks.ts";

const now = new Date("2026-01-01T12:00:00Z");

test("the rights that are asked about are those that the chart grants", () => {
  const file = join(import.meta.dirname, "../../../../../charts/keelson/templates/pilot/clusterrole.yaml");
  const [role = ""] = readFileSync(file, "utf8").split("\n---\n");
  const text = role.replaceAll(/^.*\{\{.*$/gm, "");
  const { rules } = parse(text) as { rules: { apiGroups: string[]; resources: string[]; verbs: string[] }[] };
  expect(controlPlaneRights).toEqual(
    rules.map(({ apiGroups: [group], resources, verbs }) => ({ group, resources, verbs })),
  );
});

test("an account that may not do all is told what", () => {
  expect(judgeRefused("may install", "all", []).state).toBe("ok");
  expect(judgeRefused("may install", "all", ["create secrets", "create roles.x"])).toMatchObject({
    state: "error",
    found: "this account may not: create secrets, create roles.x",
  });
});

test("the cluster is found as kubectl finds it", () => {
  const nowhere = "/nowhere";
  const inside = { KUBERNETES_SERVICE_HOST: "10.96.0.1", KUBERNETES_SERVICE_PORT: "443" };
  expect(findCluster("asked", {}, nowhere)).toBe("asked");
  expect(findCluster(undefined, { KUBECONFIG: `/none:${import.meta.filename}` }, nowhere)).toBe(
    import.meta.filename,
  );
  expect(findCluster(undefined, inside, nowhere)).toBe("");
  expect(findCluster(undefined, {}, nowhere)).toBeUndefined();
});

test("API groups: of Kubernetes itself, and of rules", () => {
  const kubernetes: [string, string[]][] = [
    ["discovery.k8s.io", ["v1"]],
    ["authentication.k8s.io", ["v1"]],
    ["networking.k8s.io", ["v1", "v1beta1"]],
  ];
  expect(judgeGroups(new Map(kubernetes)).state).toBe("ok");
  expect(judgeGroups(new Map([["discovery.k8s.io", ["v1beta1"]], ...kubernetes.slice(1)]))).toMatchObject({
    state: "error",
    found: "not served: discovery.k8s.io/v1",
  });
  const old = new Map([["config.istio.io", ["v1alpha2"]]]);
  expect(judgeDefinitions(old, false).map(({ state }) => state)).toEqual(["ok", "ok", "ok"]);
  const [has, lacks] = judgeDefinitions(old, true);
  expect(has?.found).toBe("config.istio.io v1alpha2 (Istio 0.2 to 0.7)");
  expect(lacks).toMatchObject({ state: "warning" });
});

const pod = (name: string, image: string, ready: boolean, labels: Record<string, string> = {}): PodFacts => ({
  metadata: { name, namespace: "istio-system", labels },
  spec: { containers: [{ image }] },
  status: { conditions: [{ type: "Ready", status: ready ? "True" : "False" }] },
});
const istiod = pod("istiod-1", "docker.io/istio/pilot:1.30.3", true);
const ours = pod("istiod-2", "registry/pilot:0.1.0", true, { "app.kubernetes.io/part-of": "keelson" });

test("control planes before an installation, and after it", () => {
  expect(judgeBefore([], "istio-system")).toMatchObject({ state: "ok", found: "none yet" });
  expect(judgeBefore([istiod], "istio-system").state).toBe("warning");
  expect(judgeBefore([istiod], "other").state).toBe("ok");
  expect(judgeAfter([], [], "istio-system")).toMatchObject([{ state: "error" }]);
  expect(judgeAfter([ours, istiod], [], "istio-system")).toMatchObject([
    { state: "ok", found: "istio-system/istiod-2 (registry/pilot:0.1.0, ready)" },
    { check: "other control planes" },
  ]);
  const unready = pod("istiod-3", "hub/keelson/pilot:0.1.0", false);
  expect(judgeAfter([ours, unready], [], "istio-system")).toMatchObject([
    { state: "error", found: "istio-system/istiod-3 (hub/keelson/pilot:0.1.0, not ready)" },
  ]);
});

test("a control plane whose Deployment has no pod", () => {
  const deployment = (replicas: number, message?: string): DeploymentFacts => ({
    metadata: { name: "istiod", namespace: "istio-system" },
    spec: { replicas, template: { spec: { containers: [] } } },
    status: {
      conditions: message === undefined ? [] : [{ type: "ReplicaFailure", status: "True", message }],
    },
  });
  const found = (one: DeploymentFacts): unknown => judgeAfter([], [one], "istio-system")[0]?.found;
  expect(found(deployment(2))).toBe("Deployment istio-system/istiod has no pod");
  expect(found(deployment(0))).toBe("Deployment istio-system/istiod has no pod: it is scaled to 0");
  expect(found(deployment(2, "exceeded quota"))).toBe(
    "Deployment istio-system/istiod has no pod: exceeded quota",
  );
});

test("locks that are held, let go, and no locks", () => {
  const lock = (name: string, holderIdentity: string, renewTime: string) => ({
    metadata: {
      name,
      annotations: {
        "control-plane.alpha.kubernetes.io/leader": JSON.stringify({
          holderIdentity,
          renewTime,
          leaseDurationSeconds: 30,
        }),
      },
    },
  });
  const maps = [
    lock("istio-leader", "istiod-1", "2026-01-01T11:59:50Z"),
    lock("old", "istiod-0", "2026-01-01T11:00:00Z"),
    lock("free", "", "2026-01-01T11:59:50Z"),
    { metadata: { name: "other", annotations: { "control-plane.alpha.kubernetes.io/leader": "{" } } },
    { metadata: { name: "istio" } },
  ];
  expect(judgeLocks(maps, now).found).toBe("istio-leader by istiod-1");
  expect(judgeLocks([], now).found).toBe("none is held");
});

test("webhooks: answered, of pods, and those that nobody answers", () => {
  const hook = (kind: "mutating" | "validating", failurePolicy: string): WebhookConfiguration => ({
    kind,
    metadata: { name: `istio-${kind}` },
    webhooks: [
      { name: "x.istio.io", failurePolicy, clientConfig: { service: { name: "istiod", namespace: "a" } } },
    ],
  });
  const states = (missing: readonly string[]): string[] =>
    judgeWebhooks(
      [hook("mutating", "Fail"), hook("validating", "Fail"), hook("validating", "Ignore")],
      new Set(missing),
    ).map(({ state }) => state);
  expect(states([])).toEqual(["warning", "ok", "ok"]);
  expect(states(["a/istiod"])).toEqual(["error", "error", "warning"]);
  expect(judgeWebhooks([], new Set())).toMatchObject([{ state: "ok" }]);
});

test("namespaces that ask for what is not given", () => {
  const namespaces = [
    { name: "a", labels: { "istio-injection": "enabled" } },
    { name: "b", labels: { "istio-injection": "disabled", "istio.io/rev": "x" } },
    { name: "c", labels: { "istio.io/dataplane-mode": "ambient" } },
    { name: "d" },
  ];
  expect(judgeNamespaces(namespaces)).toMatchObject({
    state: "warning",
    found: "asking for sidecars or ambient: a (istio-injection=enabled), c (istio.io/dataplane-mode=ambient)",
  });
  expect(judgeNamespaces(namespaces.slice(3)).state).toBe("ok");
});

test("agents by what their DaemonSet counts", () => {
  const agents = (desired: number, ready: number, updated: number, observed = 2) => ({
    metadata: { generation: 2 },
    status: {
      desiredNumberScheduled: desired,
      numberReady: ready,
      updatedNumberScheduled: updated,
      observedGeneration: observed,
    },
  });
  const state = (...counts: Parameters<typeof agents>): string => judgeAgents(agents(...counts), "a").state;
  expect([state(3, 3, 3), state(3, 3, 1), state(3, 2, 3), state(3, 3, 3, 1)]).toEqual([
    "ok",
    "warning",
    "error",
    "warning",
  ]);
  expect(judgeAgents(undefined, "a").state).toBe("skipped");
});

test("roots: nowhere, no certificate, not the same", () => {
  expect(judgeRoots(new Map(), ["a"], now)).toMatchObject([{ state: "error" }]);
  const findings = judgeRoots(
    new Map([
      ["a", "x"],
      ["b", "y"],
    ]),
    ["a", "b", "c"],
    now,
  );
  expect(findings.map(({ state, found }) => `${state}: ${found}`)).toEqual([
    "error: istio-ca-root-cert holds no certificate under root-cert.pem",
    "error: 2 different ones in 2 namespaces",
    "warning: not in c",
  ]);
});
