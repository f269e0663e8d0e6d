import { isDeepStrictEqual } from "node:util";

/** A manifest of any age. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly [field: string]: unknown;
}

interface OldDefinition extends Manifest {
  readonly spec: { readonly version: string; readonly [field: string]: unknown };
}

interface OldDeployment extends Manifest {
  readonly spec: {
    readonly template: { readonly metadata: { readonly labels: object } };
    readonly [field: string]: unknown;
  };
}

/** What v1 wants and v1beta1 left open: which version is kept, and a schema; any, as there was none. */
function liftDefinition({ spec: { version, ...spec }, ...manifest }: OldDefinition): Manifest {
  const anything = { type: "object", "x-kubernetes-preserve-unknown-fields": true };
  const versions = [{ name: version, served: true, storage: true, schema: { openAPIV3Schema: anything } }];
  return { ...manifest, apiVersion: "apiextensions.k8s.io/v1", spec: { ...spec, versions } };
}

/** What apps/v1 wants and extensions/v1beta1 took from the template's labels. */
const liftDeployment = ({ spec, ...manifest }: OldDeployment): Manifest => ({
  ...manifest,
  apiVersion: "apps/v1",
  spec: { ...spec, selector: { matchLabels: spec.template.metadata.labels } },
});

/** The same object for an API server of today: another apiVersion, and what that makes mandatory; nothing else. */
export function lift(manifest: Manifest): Manifest {
  switch (`${manifest.apiVersion} ${manifest.kind}`) {
    case "apiextensions.k8s.io/v1beta1 CustomResourceDefinition":
      return liftDefinition(manifest as OldDefinition);
    case "extensions/v1beta1 Deployment":
      return liftDeployment(manifest as OldDeployment);
    default:
      return manifest.apiVersion === "rbac.authorization.k8s.io/v1beta1"
        ? { ...manifest, apiVersion: "rbac.authorization.k8s.io/v1" }
        : manifest;
  }
}

/** What lifting has changed, a line for each kind: fields that went, came or are another. */
export function changes(manifests: readonly Manifest[]): string[] {
  const found = new Map<string, number>();
  for (const manifest of manifests) {
    const said = differences(manifest, lift(manifest)).join(", ");
    if (said === "") continue;
    const line = `${manifest.kind}: ${said}`;
    found.set(line, (found.get(line) ?? 0) + 1);
  }
  return [...found].map(([line, count]) => `${count} × ${line}`);
}

/** "-spec.version", "+spec.versions", "apiVersion a → b" */
function differences(before: object, after: object, path = ""): string[] {
  const [old, now] = [new Map(Object.entries(before)), new Map(Object.entries(after))];
  return [...new Set([...old.keys(), ...now.keys()])].sort().flatMap((name): string[] => {
    const [was, is]: [unknown, unknown] = [old.get(name), now.get(name)];
    const at = `${path}${name}`;
    if (isDeepStrictEqual(was, is)) return [];
    if (was === undefined) return [`+${at}`];
    if (is === undefined) return [`-${at}`];
    if (isObject(was) && isObject(is)) return differences(was, is, `${at}.`);
    return [`${at} ${JSON.stringify(was)} → ${JSON.stringify(is)}`];
  });
}

const isObject = (value: unknown): value is object => typeof value === "object" && value !== null;
