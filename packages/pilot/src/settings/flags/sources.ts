import { accepted, everyAge, honoured, istiod, newAges, oldAges, only07 } from "../setting.ts";

/** Where the configuration and the services come from. */
export const sourceFlags = {
  configDir: honoured(
    "string",
    "",
    newAges,
    "watch the YAML files in this directory; rules are not read from Kubernetes then",
  ),
  meshConfig: honoured(
    "string",
    "./etc/istio/config/mesh",
    everyAge,
    "file with the mesh configuration; watched; defaults hold without it",
  ),
  domain: honoured("string", "cluster.local", everyAge, "suffix of Kubernetes' service names"),
  namespace: honoured("string", "istio-system", everyAge, "namespace of the control plane", {
    short: "n",
    defaultFrom: "POD_NAMESPACE",
  }),
  clusterID: honoured("string", "Kubernetes", istiod, "name of the cluster that this control plane runs in", {
    defaultFrom: "CLUSTER_ID",
  }),
  clusterAliases: accepted("map", "", istiod, "other names of clusters: alias=cluster,alias=cluster"),
  registries: honoured(
    "list",
    "Kubernetes",
    everyAge,
    "service registries to read; the files of --configDir bring services themselves",
  ),
  networksConfig: accepted(
    "string",
    "./etc/istio/config/meshNetworks",
    istiod,
    "file with the mesh's networks",
  ),
  appNamespace: honoured("string", "", oldAges, "the only namespace whose objects are watched; empty: all", {
    short: "a",
  }),
  resync: accepted("duration", "60s", oldAges, "interval at which all objects are listed again"),
  consulserverURL: accepted("string", "", oldAges, "Consul's address"),
  consulserverInterval: accepted("duration", "2s", only07, "interval at which Consul is asked"),
  consulconfig: accepted("string", "", oldAges, "file about Consul; Pilot does not read it either"),
  eurekaserverURL: accepted("string", "", oldAges, "Eureka's address"),
  eurekaserverInterval: accepted("duration", "2s", only07, "interval at which Eureka is asked"),
  cfConfig: accepted("string", "", only07, "file about Cloud Foundry"),
};
