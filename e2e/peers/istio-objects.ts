import { join } from "node:path";
import type { KubeApiserver } from "./kube-apiserver.ts";
import { requirePeer } from "./peer-cache.ts";

/** Where Istio's control plane lives in a cluster. */
export const istioNamespace = "istio-system";

/** Makes the namespace, a mesh configuration, and the ServiceAccounts that istiod and istioctl use, and installs all CRDs. */
export async function prepareForIstio(
  apiserver: KubeApiserver,
  meshConfig: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  const { folder } = await requirePeer("istiod");
  const crds = join(folder, "charts", "base", "files", "crd-all.gen.yaml");
  await apiserver.kubectl(["apply", "--server-side", "-f", crds]);
  const namespace = istioNamespace;
  await apiserver.apply(
    { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } },
    { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "istiod", namespace } },
    // istioctl asks for a token of this one.
    { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "default", namespace } },
    {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "istio", namespace },
      data: { mesh: JSON.stringify(meshConfig), meshNetworks: "networks: {}" },
    },
  );
  await untilKindsAreServed(apiserver);
}

/** Installs the Gateway API's CRDs. "experimental" has those of "standard", too. */
export async function installGatewayApi(
  apiserver: KubeApiserver,
  channel: "standard" | "experimental",
): Promise<void> {
  const { folder } = await requirePeer("istiod");
  const crds = join(folder, "gateway-api", channel);
  await apiserver.kubectl(["apply", "--server-side", "-f", crds]);
  await untilKindsAreServed(apiserver);
}

async function untilKindsAreServed(apiserver: KubeApiserver): Promise<void> {
  const condition = ["--for=condition=Established", "--timeout=60s"];
  await apiserver.kubectl(["wait", ...condition, "customresourcedefinitions", "--all"]);
}
