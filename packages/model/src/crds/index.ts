import { type KindDescription, kinds } from "../kinds/index.ts";
import { type CustomResource, customResources } from "./custom-resources.ts";
import { structuralSchema } from "./structural-schema.ts";

/** An apiextensions.k8s.io/v1 CustomResourceDefinition. */
export interface CustomResourceDefinition {
  readonly apiVersion: "apiextensions.k8s.io/v1";
  readonly kind: "CustomResourceDefinition";
  readonly metadata: { readonly name: string; readonly [field: string]: unknown };
  readonly spec: object;
}

/** Definitions of all kinds that we read and Kubernetes does not bring; the Gateway API's its own project installs. */
export const customResourceDefinitions = (): CustomResourceDefinition[] => customResources.map(definitionOf);

function definitionOf(resource: CustomResource): CustomResourceDefinition {
  const { kind, group, plural, shortNames, categories } = resource;
  const description = kinds.find((one) => one.kind === kind && one.group === group);
  if (description === undefined) throw new Error(`${kind}.${group} is not read, so it has no schema`);
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${plural}.${group}`, labels: { "app.kubernetes.io/part-of": "keelson" } },
    spec: {
      group,
      names: {
        kind,
        listKind: `${kind}List`,
        plural,
        singular: kind.toLowerCase(),
        ...(shortNames && { shortNames }),
        ...(categories.length > 0 && { categories }),
      },
      scope: "Namespaced",
      versions: versionsOf(resource, description),
    },
  };
}

/** All alike; the usual one is stored. */
function versionsOf({ columns, hasStatus }: CustomResource, description: KindDescription): object[] {
  const { properties = {}, required } = structuralSchema(description.schema, description.snakeCase === true);
  // What Istio reports is for those who read it; no more is asked of it than that it be an object.
  const status = { type: "object", "x-kubernetes-preserve-unknown-fields": true };
  const schema = {
    type: "object",
    ...(required && { required }),
    properties: { ...properties, ...(hasStatus && { status }) },
  };
  return description.versions.map((name, i) => ({
    name,
    served: true,
    storage: i === 0,
    ...(hasStatus && { subresources: { status: {} } }),
    ...(columns && { additionalPrinterColumns: columns }),
    schema: { openAPIV3Schema: schema },
  }));
}
