// The chart under real helm and a real API server. There is no kubelet, so nothing starts: what is tested is what
// Kubernetes is asked for, and that it takes it.
import { kubernetesResources } from "@keelson/sources";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runHelm } from "../peers/helm.ts";
import type { PeerName } from "../peers/install/recipes.ts";
import {
  chartFolder,
  createNamespace,
  idleValues,
  parseRendered,
  type Rendered,
  renderChart,
  setValues,
} from "../peers/keelson-chart.ts";
import { type KubeApiserver, startKubeApiserver } from "../peers/kube-apiserver.ts";
import { missingPeers, requirePeer } from "../peers/peer-cache.ts";
import { peerTest } from "../peers/peer-test.ts";
import { missedByIstiod } from "../peers/rights-of-istiod.ts";
import { runProgram } from "../peers/run-program.ts";

const peers: readonly PeerName[] = ["etcd", "kube-apiserver", "kubectl", "helm"];
const namespace = "istio-system";

/** Refuses every pod that is not as harmless as pods can be. */
const restricted = "restricted";

let apiserver: KubeApiserver;

beforeAll(async () => {
  if (await missingPeers(...peers)) return;
  apiserver = await startKubeApiserver();
  await createNamespace(apiserver, namespace);
  await createNamespace(apiserver, restricted, { "pod-security.kubernetes.io/warn": "restricted" });
}, 300_000);

afterAll(() => apiserver?.stop());

peerTest(["helm"], "helm lint finds nothing", async () => {
  const { code, stdout } = await runHelm(["lint", "--strict", chartFolder]);
  expect(stdout).toContain("0 chart(s) failed");
  expect(code).toBe(0);
});

describe("what is rendered is taken by the API server without a warning", () => {
  /** What kubectl says on standard error: warnings, and errors. */
  async function dryRun(into: string, values: Readonly<Record<string, unknown>>): Promise<string> {
    const { program } = await requirePeer("kubectl");
    const args = ["--kubeconfig", apiserver.kubeconfig, "apply", "--dry-run=server", "-f", "-"];
    const input = await renderChart(into, values);
    const { code, stdout, stderr } = await runProgram(program, args, { input });
    expect(code, stderr).toBe(0);
    expect(stdout).toContain("deployment.apps/");
    return stderr;
  }

  peerTest(peers, "by default", async () => {
    expect(await dryRun(namespace, {})).toBe("");
  });

  peerTest(peers, "with every option", async () => {
    const values = {
      revision: "canary",
      meshConfig: { accessLogFile: "/dev/stdout" },
      "global.imagePullSecrets": ["registry"],
      "global.meshNetworks": { one: { endpoints: [{ fromRegistry: "Kubernetes" }] } },
      "pilot.autoscaleMin": 2,
      "pilot.memory": { targetAverageUtilization: 80 },
      "pilot.env": { PILOT_PUSH_THROTTLE: 100, XDS_AUTH: true },
      "pilot.tolerations": [{ key: "control-plane", operator: "Exists" }],
      "pilot.podAnnotations": { a: "b" },
      "bpfApplier.maxUnavailable": 1,
      "bpfApplier.relay": "builtin",
      "bpfApplier.podLabels": { a: "b" },
    };
    expect(await dryRun(namespace, values)).toBe("");
  });

  peerTest(peers, "the control plane where pods may have no privileges at all", async () => {
    expect(await dryRun(restricted, { "bpfApplier.enabled": false })).toBe("");
    // That the namespace does warn.
    expect(await dryRun(restricted, {})).toContain(
      'container "bpf-applier" must not include "BPF", "NET_ADMIN"',
    );
  });
});

test("a pod disruption budget is made for several replicas, a ServiceMonitor where one is asked for", async (context) => {
  const reason = await missingPeers("helm");
  context.skip(reason !== undefined, reason);
  const kinds = async (values: Readonly<Record<string, unknown>>) =>
    parseRendered(await renderChart(namespace, values)).map(({ kind }) => kind);
  const usual = await kinds({});
  expect(usual).toContain("HorizontalPodAutoscaler");
  expect(usual).not.toContain("PodDisruptionBudget");
  expect(usual).not.toContain("ServiceMonitor");
  const others = await kinds({
    "pilot.autoscaleEnabled": false,
    "pilot.replicaCount": 2,
    "serviceMonitor.enabled": true,
    "bpfApplier.enabled": false,
  });
  expect(others).not.toContain("HorizontalPodAutoscaler");
  expect(others).not.toContain("DaemonSet");
  expect(others).toEqual(expect.arrayContaining(["PodDisruptionBudget", "ServiceMonitor"]));
});

/** What the control plane does beside reading what the model is made of. */
const otherRights = [
  // Whose a caller's token is.
  "create tokenreviews.authentication.k8s.io",
  // The root in every namespace, and locks.
  "get configmaps.",
  "create configmaps.",
  "update configmaps.",
  // The root that the control plane has made, in its own namespace.
  "get secrets.",
  "create secrets.",
  "update secrets.",
  // How Kubernetes reaches the check of rules, and whether it does.
  "list validatingwebhookconfigurations.admissionregistration.k8s.io",
  "watch validatingwebhookconfigurations.admissionregistration.k8s.io",
  "get validatingwebhookconfigurations.admissionregistration.k8s.io",
  "update validatingwebhookconfigurations.admissionregistration.k8s.io",
  "create gateways.networking.istio.io",
  // What became of the Gateway API's objects, under a lock of the revision.
  "list gatewayclasses.gateway.networking.k8s.io",
  "watch gatewayclasses.gateway.networking.k8s.io",
  ...["gatewayclasses", "gateways", "httproutes"].flatMap((plural) => [
    `get ${plural}.gateway.networking.k8s.io`,
    `update ${plural}/status.gateway.networking.k8s.io`,
  ]),
  "get leases.coordination.k8s.io",
  "create leases.coordination.k8s.io",
  "update leases.coordination.k8s.io",
  // Which revision is the default one.
  "list mutatingwebhookconfigurations.admissionregistration.k8s.io",
  "watch mutatingwebhookconfigurations.admissionregistration.k8s.io",
];

peerTest(["helm"], "the control plane may do what it does, and nothing else", async () => {
  const roles = parseRendered(await renderChart(namespace)).filter(({ kind }) =>
    /^(Cluster)?Role$/.test(kind),
  );
  const rules = roles.flatMap((role) => (role as unknown as Role).rules);
  const granted = rules.flatMap(({ apiGroups, resources, verbs }) =>
    apiGroups.flatMap((group) =>
      resources.flatMap((plural) => verbs.map((verb) => `${verb} ${plural}.${group}`)),
    ),
  );
  // What follows the first are older places, which no server of today has.
  const read = kubernetesResources.flatMap(({ collections: [{ plural, group }] }) => [
    `list ${plural}.${group}`,
    `watch ${plural}.${group}`,
  ]);
  expect(granted.sort()).toEqual([...read, ...otherRights].sort());
});

interface Role {
  readonly rules: readonly {
    readonly apiGroups: readonly string[];
    readonly resources: readonly string[];
    readonly verbs: readonly string[];
  }[];
}

peerTest(["helm"], "the agent has the privileges that the values name, and no others", async () => {
  const rendered = parseRendered(await renderChart(namespace));
  const { spec } = rendered.find(({ kind }) => kind === "DaemonSet") as unknown as DaemonSet;
  const pod = spec.template.spec;
  for (const shared of ["hostNetwork", "hostPID", "hostIPC"]) expect(pod).not.toHaveProperty(shared);
  expect(pod.containers).toHaveLength(1);
  expect(pod.containers[0]?.securityContext).toMatchObject({
    privileged: false,
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ["ALL"], add: ["BPF", "NET_ADMIN"] },
  });
  const paths = pod.volumes.flatMap(({ hostPath }) => hostPath?.path ?? []);
  expect(paths.sort()).toEqual(["/run/keelson", "/sys/fs/bpf", "/sys/fs/cgroup", "/var/lib/keelson"]);
});

peerTest(["helm"], "with a relay the agent may enter the networks of pods, and have no more", async () => {
  const rendered = parseRendered(await renderChart(namespace, { "bpfApplier.relay": "builtin" }));
  const { spec } = rendered.find(({ kind }) => kind === "DaemonSet") as unknown as DaemonSet;
  const pod = spec.template.spec;
  expect(pod).toMatchObject({ hostPID: true });
  for (const shared of ["hostNetwork", "hostIPC"]) expect(pod).not.toHaveProperty(shared);
  expect(pod.containers[0]?.securityContext).toMatchObject({
    privileged: false,
    capabilities: { drop: ["ALL"], add: ["BPF", "NET_ADMIN", "SYS_ADMIN", "SYS_PTRACE"] },
  });
});

peerTest(
  ["helm"],
  "with a relay a new pod takes the node over from the old one while both are there",
  async () => {
    const daemonSet = async (values: Record<string, unknown>): Promise<DaemonSet> => {
      const rendered = parseRendered(await renderChart(namespace, values));
      return rendered.find(({ kind }) => kind === "DaemonSet") as unknown as DaemonSet;
    };
    const relay = { "bpfApplier.relay": "builtin" };
    const { updateStrategy, template } = (await daemonSet(relay)).spec;
    expect(updateStrategy).toEqual({ rollingUpdate: { maxSurge: "10%", maxUnavailable: 0 } });
    expect(template.spec.containers[0]).toMatchObject({
      args: expect.arrayContaining(["--take-over"]) as unknown,
      readinessProbe: { httpGet: { path: "/ready", port: "http-monitoring" } },
    });
    for (const values of [{}, { ...relay, "bpfApplier.metricsPort": 0 }]) {
      const { spec } = await daemonSet(values);
      expect(spec.updateStrategy).toEqual({ rollingUpdate: { maxUnavailable: "10%" } });
      expect(spec.template.spec.containers[0]?.args).not.toContain("--take-over");
    }
  },
);

peerTest(["helm"], "an Envoy as the relay must be named", async () => {
  const values = { "bpfApplier.relay": "envoy", "bpfApplier.envoyPath": "/usr/local/bin/envoy" };
  const rendered = parseRendered(await renderChart(namespace, values));
  const { spec } = rendered.find(({ kind }) => kind === "DaemonSet") as unknown as DaemonSet;
  const args = ["--relay=envoy", "--envoy-path=/usr/local/bin/envoy"];
  expect(spec.template.spec.containers[0]?.args).toEqual(expect.arrayContaining(args));
  await expect(renderChart(namespace, { "bpfApplier.relay": "envoy" })).rejects.toThrow(
    "bpfApplier.envoyPath",
  );
});

peerTest(["helm"], "an agent that looks at callers' sockets may read the kernel's structures", async () => {
  const rendered = parseRendered(await renderChart(namespace, { "bpfApplier.sockets": "count" }));
  const { spec } = rendered.find(({ kind }) => kind === "DaemonSet") as unknown as DaemonSet;
  const [container] = spec.template.spec.containers;
  expect(container?.securityContext).toMatchObject({
    capabilities: { drop: ["ALL"], add: ["BPF", "NET_ADMIN", "PERFMON"] },
  });
  expect(container?.args).toContain("--sockets=count");
});

peerTest(["helm"], "Prometheus is told where an agent has its counters, unless it has none", async () => {
  const daemonSet = async (port: number): Promise<DaemonSet> => {
    const rendered = parseRendered(await renderChart(namespace, { "bpfApplier.metricsPort": port }));
    return rendered.find(({ kind }) => kind === "DaemonSet") as unknown as DaemonSet;
  };
  const { template } = (await daemonSet(15_099)).spec;
  expect(template.metadata.annotations).toMatchObject({ "prometheus.io/port": "15099" });
  expect(template.spec.containers[0]?.args).toContain("--metrics-address=:15099");
  const silent = JSON.stringify(await daemonSet(0));
  expect(silent).not.toMatch(/prometheus|metrics-address/);
});

interface DaemonSet extends Rendered {
  readonly spec: {
    readonly updateStrategy: unknown;
    readonly template: {
      readonly metadata: { readonly annotations: Readonly<Record<string, string>> };
      readonly spec: {
        readonly containers: readonly {
          readonly args: readonly string[];
          readonly securityContext: unknown;
        }[];
        readonly volumes: readonly { readonly hostPath?: { readonly path: string } }[];
      };
    };
  };
}

describe("values", () => {
  peerTest(["helm"], "a typing error is refused, with its place", async () => {
    await expect(renderChart(namespace, { "pilot.replicaCounts": 2 })).rejects.toThrow(
      "at '/pilot': additional properties 'replicaCounts' not allowed",
    );
    await expect(renderChart(namespace, { "pilot.autoscaleMin": "two" })).rejects.toThrow(
      "at '/pilot/autoscaleMin': got string, want integer",
    );
  });

  peerTest(peers, "those of istiod's chart that mean nothing here are named, each of them", async () => {
    const idle = await idleValues();
    expect(idle).toContain("telemetry");
    const values = setValues(Object.fromEntries(idle.map((name) => [name, {}])));
    const args = ["install", "keelson", chartFolder, "--dry-run=client", ...values];
    const { code, stdout, stderr } = await runHelm(args, { kubeconfig: apiserver.kubeconfig });
    expect(code, stderr).toBe(0);
    const notes = /Without effect, though istiod's chart has them: (.*)\./.exec(stdout)?.[1] ?? "";
    expect(notes.split(", ").sort()).toEqual(idle.toSorted());
  });
});

describe("a release", () => {
  const helm = async (...args: readonly string[]): Promise<string> => {
    const { kubeconfig } = apiserver;
    const { code, stdout, stderr } = await runHelm([...args, `--namespace=${namespace}`], { kubeconfig });
    expect(code, stderr).toBe(0);
    return stdout;
  };
  const get = (what: string, path: string) =>
    apiserver.kubectl(["get", "-n", namespace, what, "-o", `jsonpath={${path}}`]);
  const owned = async () => {
    const kinds =
      "deployments,daemonsets,services,configmaps,serviceaccounts,horizontalpodautoscalers,clusterroles,clusterrolebindings";
    const label = "app.kubernetes.io/instance=keelson";
    return (await apiserver.kubectl(["get", kinds, "-n", namespace, "-l", label, "-o", "name"]))
      .trim()
      .split("\n");
  };
  const replicas = () => get("horizontalpodautoscaler/istiod", ".spec.maxReplicas");

  peerTest(peers, "is installed, upgraded, rolled back and removed, but for the CRDs", async () => {
    await helm("install", "keelson", chartFolder);
    const installed = await owned();
    expect(installed.length).toBeGreaterThanOrEqual(9);
    expect(await get("service/istiod", ".spec.ports[*].port")).toBe("15010 15012 443 15014");

    expect(await missedByIstiod(apiserver, namespace)).toEqual({ waiting: {}, failing: {}, problems: [] });

    await helm(
      "upgrade",
      "keelson",
      chartFolder,
      "--set=pilot.autoscaleMax=9",
      "--set=bpfApplier.enabled=false",
    );
    expect(await replicas()).toBe("9");
    expect(await owned()).not.toContain("daemonset.apps/bpf-applier");

    await helm("rollback", "keelson", "1");
    expect(await replicas()).toBe("5");
    expect(await owned()).toEqual(installed);

    await helm("uninstall", "keelson");
    expect(await owned()).toEqual([""]);
    const kept = await apiserver.kubectl(["get", "crds", "-o", "name"]);
    expect(kept).toContain("virtualservices.networking.istio.io");
  });
});
