import { error, type Finding, ok, warning } from "@keelson/bpf-applier/finding";
import type { Access, Cluster } from "./cluster.ts";

/** API groups and what of them the control plane's ClusterRole in the chart lets it do. A test compares it with the chart. */
export const controlPlaneRights: readonly {
  readonly group: string;
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}[] = [
  { group: "", resources: ["services", "pods", "nodes"], verbs: ["list", "watch"] },
  { group: "discovery.k8s.io", resources: ["endpointslices"], verbs: ["list", "watch"] },
  { group: "", resources: ["secrets", "configmaps"], verbs: ["list", "watch"] },
  { group: "authentication.k8s.io", resources: ["tokenreviews"], verbs: ["create"] },
  {
    group: "networking.istio.io",
    resources: [
      "virtualservices",
      "destinationrules",
      "serviceentries",
      "workloadentries",
      "gateways",
      "sidecars",
    ],
    verbs: ["list", "watch"],
  },
  { group: "security.istio.io", resources: ["peerauthentications"], verbs: ["list", "watch"] },
  { group: "extensions.istio.io", resources: ["wasmplugins"], verbs: ["list", "watch"] },
  {
    group: "config.istio.io",
    resources: ["routerules", "destinationpolicies", "egressrules"],
    verbs: ["list", "watch"],
  },
  {
    group: "gateway.networking.k8s.io",
    resources: ["gateways", "httproutes", "referencegrants"],
    verbs: ["list", "watch"],
  },
  { group: "networking.k8s.io", resources: ["ingresses", "ingressclasses"], verbs: ["list", "watch"] },
  { group: "", resources: ["namespaces"], verbs: ["list", "watch"] },
  { group: "", resources: ["configmaps"], verbs: ["get", "create", "update"] },
  {
    group: "admissionregistration.k8s.io",
    resources: ["mutatingwebhookconfigurations"],
    verbs: ["list", "watch"],
  },
  { group: "gateway.networking.k8s.io", resources: ["gatewayclasses"], verbs: ["list", "watch"] },
  {
    group: "gateway.networking.k8s.io",
    resources: ["gatewayclasses", "gateways", "httproutes"],
    verbs: ["get"],
  },
  {
    group: "gateway.networking.k8s.io",
    resources: ["gatewayclasses/status", "gateways/status", "httproutes/status"],
    verbs: ["update"],
  },
  {
    group: "admissionregistration.k8s.io",
    resources: ["validatingwebhookconfigurations"],
    verbs: ["list", "watch"],
  },
  {
    group: "admissionregistration.k8s.io",
    resources: ["validatingwebhookconfigurations"],
    verbs: ["get", "update"],
  },
];

/** What `helm install` of the chart makes, beside what it grants. */
const made: readonly Access[] = [
  { group: "apps", resource: "deployments", verb: "create" },
  { group: "apps", resource: "daemonsets", verb: "create" },
  { group: "", resource: "services", verb: "create" },
  { group: "", resource: "serviceaccounts", verb: "create" },
  { group: "", resource: "configmaps", verb: "create" },
  { group: "", resource: "secrets", verb: "create" },
  { group: "rbac.authorization.k8s.io", resource: "roles", verb: "create" },
  { group: "rbac.authorization.k8s.io", resource: "rolebindings", verb: "create" },
];

const madeForAll: readonly Access[] = [
  { group: "rbac.authorization.k8s.io", resource: "clusterroles", verb: "create" },
  { group: "rbac.authorization.k8s.io", resource: "clusterrolebindings", verb: "create" },
  { group: "apiextensions.k8s.io", resource: "customresourcedefinitions", verb: "create" },
];

const granted = (): Access[] =>
  controlPlaneRights.flatMap(({ group, resources, verbs }) =>
    resources.flatMap((resource) => verbs.map((verb) => ({ group, resource, verb }))),
  );

const named = ({ group, resource, verb }: Access): string =>
  `${verb} ${resource}${group === "" ? "" : `.${group}`}`;

/** What of these the account may not do. */
async function refused(cluster: Cluster, accesses: readonly Access[]): Promise<string[]> {
  const may = await Promise.all(accesses.map((access) => cluster.may(access)));
  return accesses.filter((_, index) => may[index] === false).map(named);
}

/** Whether this account may install the chart: make its objects, and grant rights, which takes having them (RBAC's rule). */
export async function installerFindings(cluster: Cluster, namespace: string): Promise<Finding[]> {
  const missing = await refused(cluster, [...made.map((one) => ({ ...one, namespace })), ...madeForAll]);
  const mayEscalate = await cluster.may({
    group: "rbac.authorization.k8s.io",
    resource: "clusterroles",
    verb: "escalate",
  });
  const ungrantable = mayEscalate ? [] : await refused(cluster, granted());
  return [
    judgeRefused("may install", `all that the chart makes, in ${namespace}`, missing),
    judgeRefused("may grant", "all rights that the control plane gets", ungrantable),
  ];
}

export function judgeRefused(check: string, all: string, missing: readonly string[]): Finding {
  if (missing.length === 0) return ok(check, all);
  return error(
    check,
    `this account may not: ${missing.join(", ")}`,
    "install with an account of cluster-admin's rights",
  );
}

/** Whether the account that looks sees enough for what it says to be true. */
export async function readerFinding(cluster: Cluster, namespace: string): Promise<Finding> {
  const missing = await refused(cluster, [
    { group: "", resource: "pods", verb: "list" },
    { group: "", resource: "namespaces", verb: "list" },
    { group: "", resource: "configmaps", verb: "list", namespace },
    { group: "apps", resource: "deployments", verb: "list", namespace },
    { group: "admissionregistration.k8s.io", resource: "mutatingwebhookconfigurations", verb: "list" },
    { group: "admissionregistration.k8s.io", resource: "validatingwebhookconfigurations", verb: "list" },
  ]);
  if (missing.length === 0) return ok("may look", "at all that is looked at");
  return warning(
    "may look",
    `this account may not: ${missing.join(", ")}`,
    "what follows is what it sees; an account that may read all sees the rest",
  );
}
