import { accepted, everyAge, honoured, istiod, oldAges, only07 } from "../setting.ts";

/** About Kubernetes' API and its admission webhooks. */
export const kubernetesFlags = {
  kubeconfig: honoured(
    "string",
    "",
    everyAge,
    "kubeconfig file; left out: KUBECONFIG; its cluster is read and written beside --configDir, too; empty, or no such file: the cluster that the program runs in",
    { defaultFrom: "KUBECONFIG" },
  ),
  kubernetesApiQPS: honoured("float", "80", istiod, "writes a second to Kubernetes' API"),
  kubernetesApiBurst: honoured("int", "160", istiod, "writes at once to Kubernetes' API"),
  clusterRegistriesNamespace: accepted(
    "string",
    "istio-system",
    istiod,
    "namespace of the Secrets about other clusters",
    { defaultFrom: "POD_NAMESPACE" },
  ),
  clusterRegistriesDir: accepted(
    "string",
    "",
    only07,
    "directory with the kubeconfig files of other clusters",
  ),
  cniNamespace: accepted("string", "istio-system", istiod, "namespace of the CNI plugin's DaemonSet", {
    defaultFrom: "POD_NAMESPACE",
  }),
  "admission-webhook-name": accepted(
    "string",
    "pilot-webhook.istio.io",
    oldAges,
    "name that the admission webhook is registered by",
  ),
  "admission-secret": accepted(
    "string",
    "pilot-webhook",
    oldAges,
    "Secret with the admission webhook's key and certificates",
  ),
  "admission-service": accepted(
    "string",
    "istio-pilot",
    oldAges,
    "Service of the admission webhook; istio-pilot-external in 0.2",
  ),
  "admission-service-port": honoured(
    "int",
    "443",
    oldAges,
    "port of the admission webhook; opened only if an --admission flag is given",
  ),
  "admission-registration-delay": accepted(
    "duration",
    "0s",
    oldAges,
    "time before the webhook is registered; 5s in 0.2",
  ),
};
