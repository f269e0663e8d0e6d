// Objects as users write them, for tests: YAML documents, each with what its test needs to say.

export type Labels = Readonly<Record<string, string>>;

const documents = (...objects: readonly object[]): string =>
  objects.map((object) => `---\n${JSON.stringify(object)}\n`).join("");

export interface ServiceOptions {
  readonly clusterIP?: string;
  readonly port?: number;
  readonly portName?: string;
}

export function service(name: string, options: ServiceOptions = {}): string {
  const { clusterIP = "10.96.0.3", port = 9080, portName = "http" } = options;
  return documents({
    apiVersion: "v1",
    kind: "Service",
    metadata: { name },
    spec: { clusterIP, ports: [{ name: portName, port }] },
  });
}

/** Pods by name, with their labels. */
export function pods(labels: Readonly<Record<string, Labels>>): string {
  return documents(
    ...Object.entries(labels).map(([name, own], i) => ({
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name, labels: own },
      spec: { nodeName: "n1" },
      status: { podIP: `10.0.0.${i + 1}` },
    })),
  );
}

/** The slice of a service that names these pods, in the order in which `pods` made them. */
export function slice(name: string, podNames: readonly string[], options: ServiceOptions = {}): string {
  const { port = 9080, portName = "http" } = options;
  return documents({
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { name: `${name}-1`, labels: { "kubernetes.io/service-name": name } },
    addressType: "IPv4",
    ports: [{ name: portName, port }],
    endpoints: podNames.map((pod, i) => ({
      addresses: [`10.0.0.${i + 1}`],
      targetRef: { kind: "Pod", name: pod },
    })),
  });
}

/** The service reviews with two pods, of versions v1 and v2. */
export const reviews = [
  service("reviews"),
  slice("reviews", ["reviews-v1", "reviews-v2"]),
  pods({ "reviews-v1": { version: "v1" }, "reviews-v2": { version: "v2" } }),
].join("");

/** A rule that sends all of reviews to one version. */
export const reviewsRule = (version: string): string => `
apiVersion: config.istio.io/v1alpha2
kind: RouteRule
metadata:
  name: reviews-default
spec:
  destination:
    name: reviews
  precedence: 1
  route:
  - labels:
      version: ${version}
`;
