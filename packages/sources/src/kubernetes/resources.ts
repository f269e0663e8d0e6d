import { type KindDescription, kinds } from "@keelson/model";
import type { Collection } from "./collection.ts";

/** A kind that is read from Kubernetes. */
export interface Resource {
  /** As the model names it. */
  readonly kind: KindDescription["kind"];
  /** Where it may be found: the first that is served to us is read. */
  readonly collections: readonly [Collection, ...Collection[]];
  readonly namespaced: boolean;
  /** Rules, or who is there to be called and to call, and by which certificates. */
  readonly role: "rules" | "registry";
  /** Without it nothing can be said of the mesh; of all others, what is not served to us is taken as not there. */
  readonly essential: boolean;
}

type RegistryFields = Partial<Pick<Resource, "namespaced" | "essential">>;

const registry = (
  kind: Resource["kind"],
  collections: Resource["collections"],
  { namespaced = true, essential = true }: RegistryFields = {},
): Resource => ({ kind, collections, namespaced, essential, role: "registry" });

/** The roles of Istio 0.2 and 0.7 do not let EndpointSlices be read. */
const endpointCollections = [
  { group: "discovery.k8s.io", version: "v1", plural: "endpointslices" },
  { group: "", version: "v1", plural: "endpoints" },
] as const;

const core = (plural: string): Collection => ({ group: "", version: "v1", plural });

/** Pods that have ended have no address of their own any more. */
const livePods: Collection = {
  ...core("pods"),
  fieldSelector: "status.phase!=Succeeded,status.phase!=Failed",
};

/** Helm keeps whole releases in Secrets, and old clusters a token for each service account; neither is a certificate. */
const credentialSecrets: Collection = {
  ...core("secrets"),
  fieldSelector: "type!=helm.sh/release.v1,type!=kubernetes.io/service-account-token",
};

const registryResources: readonly Resource[] = [
  registry("Service", [core("services")]),
  registry("EndpointSlice", endpointCollections),
  registry("Pod", [livePods]),
  registry("Namespace", [core("namespaces")], { namespaced: false, essential: false }),
  registry("Node", [core("nodes")], { namespaced: false, essential: false }),
  registry("Secret", [credentialSecrets], { essential: false }),
  registry("ConfigMap", [core("configmaps")], { essential: false }),
];

/** As Kubernetes guesses it where a definition does not say; those of all our kinds say the same. */
const pluralOf = (kind: string): string => {
  const lower = kind.toLowerCase();
  if (/[^aeiou]y$/.test(lower)) return `${lower.slice(0, -1)}ies`;
  return lower.endsWith("s") ? `${lower}es` : `${lower}s`;
};

/** Of the whole cluster, as no rule is. */
const ingressClasses: Resource = {
  kind: "IngressClass",
  collections: [{ group: "networking.k8s.io", version: "v1", plural: "ingressclasses" }],
  namespaced: false,
  role: "rules",
  essential: false,
};

const separateKinds = new Set<string>([...registryResources, ingressClasses].map(({ kind }) => kind));

/** Every kind of rule that the model knows. Ingress stands in two groups, of which a server has one. */
function ruleResources(): Resource[] {
  const known = kinds.filter(({ kind }) => !separateKinds.has(kind));
  const isOldIngress = ({ kind, group }: KindDescription): boolean =>
    kind === "Ingress" && group === "extensions";
  return known
    .filter((description) => !isOldIngress(description))
    .flatMap((description) => {
      const same = description.kind === "Ingress" ? known.filter(isOldIngress) : [];
      const [first, ...others] = [description, ...same].flatMap(({ kind, group, versions }) =>
        versions.map((version) => ({ group, version, plural: pluralOf(kind) })),
      );
      return first === undefined
        ? []
        : [
            {
              kind: description.kind,
              collections: [first, ...others],
              namespaced: true,
              role: "rules",
              essential: false,
            },
          ];
    });
}

/** Everything that is read from Kubernetes, what is needed most first. */
export const resources: readonly Resource[] = [...registryResources, ingressClasses, ...ruleResources()];
