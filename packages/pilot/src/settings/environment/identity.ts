import { accepted, everyAge, honoured, istiod, newAges } from "../setting.ts";

/** Who and where this control plane is. */
export const identityEnvironment = {
  POD_NAME: honoured("string", "", everyAge, "name of this instance, as peers are told it"),
  POD_NAMESPACE: honoured("string", "istio-system", everyAge, "default of --namespace"),
  CLUSTER_ID: honoured("string", "Kubernetes", istiod, "default of --clusterID"),
  REVISION: honoured("string", "", istiod, "name of this control plane among several of a cluster"),
  KUBECONFIG: honoured("string", "", newAges, "default of --kubeconfig"),
  K8S_INGRESS_NS: accepted("string", "istio-system", istiod, "namespace of the ingress gateway's Service"),
  SHARED_MESH_CONFIG: accepted("string", "", istiod, "ConfigMap with a second mesh configuration"),
};

/** Webhooks of Kubernetes. */
export const webhookEnvironment = {
  INJECT_ENABLED: accepted("bool", "true", istiod, "inject sidecars"),
  INJECTION_WEBHOOK_CONFIG_NAME: honoured(
    "string",
    "istio-sidecar-injector",
    istiod,
    "empty: do not keep the injection webhook's certificate",
  ),
  VALIDATION_WEBHOOK_CONFIG_NAME: honoured(
    "string",
    "istio-istio-system",
    istiod,
    "empty: do not keep the validation webhook's certificate",
  ),
};
