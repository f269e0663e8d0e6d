/** Where the rules of each kind stand in the Kubernetes API, as `istioctl proxy-config` shows them. */
const collections: Readonly<Record<string, string>> = {
  DestinationRule: "networking.istio.io/v1alpha3/namespaces/{}/destination-rule",
  VirtualService: "networking.istio.io/v1alpha3/namespaces/{}/virtual-service",
};

/** "VirtualService/default/reviews" → its path; undefined for rules that Istio of today does not know. */
export function configPath(rule: string): string | undefined {
  const [kind = "", namespace = "", name = ""] = rule.split("/");
  const collection = collections[kind];
  return collection === undefined ? undefined : `/apis/${collection.replace("{}", namespace)}/${name}`;
}

/** Metadata that names the rule which a resource comes from. */
export function ruleMetadata(rule: string): { filterMetadata: { istio: { config: string } } } | undefined {
  const config = configPath(rule);
  return config === undefined ? undefined : { filterMetadata: { istio: { config } } };
}
