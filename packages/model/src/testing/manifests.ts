// Kubernetes objects as people write them. Every field has a default, so that a new field touches no test.
import type { Origin } from "../config-object.ts";
import type { KnownObject } from "../kinds/index.ts";
import { parseObject } from "../parse-object.ts";

export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly [field: string]: unknown;
}

type Fields = Readonly<Record<string, unknown>>;

export interface Named {
  readonly name?: string;
  readonly namespace?: string;
  readonly labels?: Fields;
}

export interface ServiceFields extends Named {
  /** Becomes clusterIPs. */
  readonly ips?: readonly string[];
  readonly ports?: readonly Fields[];
  readonly spec?: Fields;
}

/** Port 9080, "http", at 10.96.0.1. */
export function service({
  name = "reviews",
  namespace = "default",
  ips = ["10.96.0.1"],
  ports = [{ name: "http", port: 9080 }],
  spec = {},
}: ServiceFields = {}): Manifest {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, namespace },
    spec: { clusterIPs: ips, ports, ...spec },
  };
}

export interface SliceFields extends Named {
  readonly service?: string;
  readonly addressType?: string;
  /** Addresses, or whole endpoints. */
  readonly endpoints?: readonly (string | Fields)[] | null;
  readonly ports?: readonly Fields[] | null;
}

/** Of service reviews, port "http" → 9080. */
export function slice({
  service: of = "reviews",
  name = `${of}-slice`,
  namespace = "default",
  addressType = "IPv4",
  endpoints = ["10.1.0.1"],
  ports = [{ name: "http", port: 9080 }],
}: SliceFields = {}): Manifest {
  return {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { name, namespace, labels: { "kubernetes.io/service-name": of } },
    addressType,
    endpoints:
      endpoints?.map((endpoint) => (typeof endpoint === "string" ? { addresses: [endpoint] } : endpoint)) ??
      null,
    ports,
  };
}

export interface PodFields extends Named {
  readonly annotations?: Fields;
  readonly ip?: string;
  readonly node?: string;
  readonly spec?: Fields;
  readonly status?: Fields;
}

/** reviews-v1 on node-a at 10.1.0.1, labelled app=reviews and version=v1. */
export function pod({
  name = "reviews-v1",
  namespace = "default",
  labels = { app: "reviews", version: "v1" },
  annotations,
  ip = "10.1.0.1",
  node = "node-a",
  spec = {},
  status = {},
}: PodFields = {}): Manifest {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name,
      namespace,
      labels,
      uid: `uid-${name}`,
      ...(annotations === undefined ? {} : { annotations }),
    },
    spec: { nodeName: node, serviceAccountName: "default", ...spec },
    status: { phase: "Running", podIP: ip, podIPs: [{ ip }], ...status },
  };
}

export interface RouteRuleFields extends Named {
  /** Name of the service, or an IstioService. */
  readonly destination?: string | Fields;
  readonly precedence?: number;
  readonly route?: readonly Fields[];
  /** What stands in spec beside the above. */
  readonly spec?: Fields;
}

/** Without a route unless one is given. */
export function routeRule({
  name = "reviews-rule",
  namespace = "default",
  destination = "reviews",
  precedence = 1,
  route,
  spec = {},
}: RouteRuleFields = {}): Manifest {
  return {
    apiVersion: "config.istio.io/v1alpha2",
    kind: "RouteRule",
    metadata: { name, namespace },
    spec: {
      destination: typeof destination === "string" ? { name: destination } : destination,
      precedence,
      ...(route === undefined ? {} : { route }),
      ...spec,
    },
  };
}

/** A destination of a route: a version and its weight. */
export const toVersion = (version: string, weight?: number): Fields => ({
  labels: { version },
  ...(weight === undefined ? {} : { weight }),
});

/** A service of one port with one pod per version, each named and addressed by its place in the list. */
export function application(
  name = "reviews",
  versions: readonly string[] = ["v1", "v2", "v3"],
  { network = 1, node = "node-a" } = {},
): Manifest[] {
  const pods = versions.map((version, i) => ({
    name: `${name}-${version}`,
    ip: `10.1.${network}.${i + 1}`,
    labels: { app: name, version },
    node,
  }));
  const endpoints = pods.map((each) => ({
    addresses: [each.ip],
    targetRef: { kind: "Pod", name: each.name },
  }));
  return [
    service({ name, ips: [`10.96.${network}.1`] }),
    slice({ service: name, endpoints }),
    ...pods.map(pod),
  ];
}

export const originAt = (file: string, line = 1): Origin => ({ locate: () => ({ file, line, column: 1 }) });

/** Manifests as a source reads them, each on a line of its own. @throws Error if one is not valid. */
export function read(...manifests: readonly Manifest[]): KnownObject[] {
  return manifests.map((manifest, i) => {
    const { object, problems } = parseObject(manifest, originAt("test.yaml", i + 1));
    if (object === undefined) throw new Error(problems.map(({ message }) => message).join("; "));
    return object;
  });
}

/** As read, of one manifest whose kind the test knows. */
export function readAs<Kind extends KnownObject["kind"]>(
  kind: Kind,
  manifest: Manifest,
): Extract<KnownObject, { kind: Kind }> {
  const isWanted = (object: KnownObject): object is Extract<KnownObject, { kind: Kind }> =>
    object.kind === kind;
  const found = read(manifest).find(isWanted);
  if (found === undefined) throw new Error(`found ${manifest.kind}, not ${kind}`);
  return found;
}

/** Reads as sources do: a manifest that stood there before gives the same object again. */
export class UnchangedStaysTheSame {
  private readonly known = new Map<string, KnownObject[]>();

  read(manifests: readonly Manifest[]): KnownObject[] {
    return manifests.flatMap((manifest) => {
      const text = JSON.stringify(manifest);
      const objects = this.known.get(text) ?? read(manifest);
      this.known.set(text, objects);
      return objects;
    });
  }
}
