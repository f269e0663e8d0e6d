import { error, type Finding, ok, warning } from "@keelson/bpf-applier/finding";
import { z } from "zod";
import type { Cluster } from "./cluster.ts";

const serverVersion = z.object({ gitVersion: z.string() });
const groupList = z.object({
  groups: z.array(z.object({ name: z.string(), versions: z.array(z.object({ version: z.string() })) })),
});

export type ServedGroups = ReadonlyMap<string, readonly string[]>;

/** The API groups that the server has, each with its versions. */
export async function servedGroups(cluster: Cluster): Promise<ServedGroups> {
  const list = await cluster.get("/apis", groupList);
  return new Map(
    (list?.groups ?? []).map(({ name, versions }) => [name, versions.map(({ version }) => version)]),
  );
}

export async function serverFinding(cluster: Cluster): Promise<Finding> {
  const version = await cluster.get("/version", serverVersion);
  return ok("API server", `${version?.gitVersion ?? "of an unknown version"} at ${cluster.url}`);
}

/** What is read of Kubernetes itself, by group and version. */
const needed = [
  ["discovery.k8s.io", "v1"],
  ["authentication.k8s.io", "v1"],
  ["networking.k8s.io", "v1"],
] as const;

export function judgeGroups(served: ServedGroups): Finding {
  const missing = needed.filter(([group, version]) => served.get(group)?.includes(version) !== true);
  const check = "API groups";
  if (missing.length === 0) return ok(check, needed.map((pair) => pair.join("/")).join(", "));
  const found = `not served: ${missing.map((pair) => pair.join("/")).join(", ")}`;
  return error(check, found, "Kubernetes 1.25 or newer serves them");
}

/** Groups with rules, whose definitions the chart brings, and what is said of each. */
const ruleGroups: readonly (readonly [group: string, age: string])[] = [
  ["config.istio.io", "Istio 0.2 to 0.7"],
  ["networking.istio.io", "Istio since 0.8"],
  ["security.istio.io", "Istio since 1.4"],
  ["extensions.istio.io", "Istio since 1.12"],
];
const gatewayApi = "gateway.networking.k8s.io";

/** @param wanted whether they should be there, as after an installation */
export function judgeDefinitions(served: ServedGroups, wanted: boolean): Finding[] {
  const check = "rules' definitions";
  const lines = ruleGroups
    .filter(([group]) => served.has(group))
    .map(([group, age]) => `${group} ${served.get(group)?.join(", ")} (${age})`);
  const missing = ruleGroups.filter(([group]) => !served.has(group)).map(([group]) => group);
  const gateway = served.get(gatewayApi);
  return [
    ...(lines.length === 0 ? [] : [ok(check, lines.join("; "))]),
    ...(missing.length === 0 ? [] : [judgeMissingDefinitions(missing, wanted)]),
    ok("Gateway API", gateway === undefined ? "not there, so its rules are not read" : gateway.join(", ")),
  ];
}

function judgeMissingDefinitions(missing: readonly string[], wanted: boolean): Finding {
  const check = "rules' definitions";
  if (!wanted) return ok(check, `not there yet: ${missing.join(", ")}; the chart brings them`);
  return warning(
    check,
    `not there: ${missing.join(", ")}`,
    "kubectl apply --server-side -f charts/keelson/crds, if rules of these kinds are to be used",
  );
}

const namespaceObject = z.object({
  metadata: z.object({ name: z.string(), labels: z.record(z.string(), z.string()).optional() }),
});

/** Namespaces that ask for a sidecar or for ambient's node proxy. */
export async function namespacesFinding(cluster: Cluster): Promise<Finding> {
  return judgeNamespaces(
    (await cluster.list("/api/v1/namespaces", namespaceObject)).map(({ metadata }) => metadata),
  );
}

export function judgeNamespaces(
  namespaces: readonly { name: string; labels?: Readonly<Record<string, string>> | undefined }[],
): Finding {
  const check = "namespaces";
  const asking = namespaces.flatMap(({ name, labels = {} }) => {
    if (labels["istio-injection"] === "disabled") return [];
    const label = ["istio-injection", "istio.io/rev", "istio.io/dataplane-mode"].find(
      (key) => labels[key] !== undefined,
    );
    return label === undefined ? [] : [`${name} (${label}=${labels[label]})`];
  });
  if (asking.length === 0) return ok(check, `none of ${namespaces.length} asks for sidecars or ambient`);
  return warning(
    check,
    `asking for sidecars or ambient: ${asking.join(", ")}`,
    "Keelson injects nothing: their pods are what another injector makes of them, or are routed in the kernel",
  );
}

const proxyConfiguration = z.object({ data: z.record(z.string(), z.string()).optional() });

/** kube-proxy's mode as kubeadm, kind and most installers configure it. */
export async function proxyFinding(cluster: Cluster): Promise<Finding> {
  const check = "kube-proxy";
  const path = "/api/v1/namespaces/kube-system/configmaps/kube-proxy";
  const text = (await cluster.get(path, proxyConfiguration))?.data?.["config.conf"];
  if (text === undefined)
    return ok(check, "no ConfigMap kube-system/kube-proxy: look at a node (keelson check --pre, there)");
  const mode = /^mode:\s*"?([a-z]*)"?\s*$/m.exec(text)?.[1] ?? "";
  return ok(
    check,
    `${mode === "" ? "iptables (by default)" : mode}: calls that Keelson leaves alone are translated there`,
  );
}
