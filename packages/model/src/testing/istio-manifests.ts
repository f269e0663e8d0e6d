// Istio's rules of today as people write them.
import type { Manifest, Named } from "./manifests.ts";

type Fields = Readonly<Record<string, unknown>>;

export interface IstioFields extends Named {
  readonly apiVersion?: string;
  readonly creationTimestamp?: string;
  readonly spec?: Fields;
}

/** An object of networking.istio.io with nothing in it but what is given. */
export function istio(
  kind: string,
  {
    apiVersion = "networking.istio.io/v1",
    name = "rule",
    namespace = "default",
    spec = {},
    ...more
  }: IstioFields = {},
): Manifest {
  return { apiVersion, kind, metadata: { name, namespace, ...more }, spec };
}

/** For host reviews; all requests to service reviews unless spec says otherwise. */
export const virtualService = ({ spec = {}, ...fields }: IstioFields = {}): Manifest =>
  istio("VirtualService", {
    name: "reviews",
    ...fields,
    spec: {
      hosts: ["reviews"],
      ...("http" in spec || "tcp" in spec || "tls" in spec
        ? {}
        : { http: [{ route: [{ destination: { host: "reviews" } }] }] }),
      ...spec,
    },
  });

/** For host reviews, with subsets v1 to v3. */
export const destinationRule = ({ spec = {}, ...fields }: IstioFields = {}): Manifest =>
  istio("DestinationRule", {
    name: "reviews",
    ...fields,
    spec: {
      host: "reviews",
      subsets: ["v1", "v2", "v3"].map((version) => ({ name: version, labels: { version } })),
      ...spec,
    },
  });

/** Host api.example.com, port 443 (tls), outside the mesh. */
export const serviceEntry = ({ spec = {}, ...fields }: IstioFields = {}): Manifest =>
  istio("ServiceEntry", {
    name: "api",
    ...fields,
    spec: {
      hosts: ["api.example.com"],
      ports: [{ number: 443, name: "tls", protocol: "TLS" }],
      resolution: "DNS",
      ...spec,
    },
  });

/** Address 10.2.0.1, labelled app=api. */
export const workloadEntry = ({ spec = {}, ...fields }: IstioFields = {}): Manifest =>
  istio("WorkloadEntry", {
    name: "vm",
    ...fields,
    spec: { address: "10.2.0.1", labels: { app: "api" }, ...spec },
  });

/** Port 80 for all hosts, on pods labelled istio=ingressgateway. */
export const gateway = ({ spec = {}, ...fields }: IstioFields = {}): Manifest =>
  istio("Gateway", {
    name: "gw",
    ...fields,
    spec: {
      selector: { istio: "ingressgateway" },
      servers: [{ port: { number: 80, name: "http", protocol: "HTTP" }, hosts: ["*"] }],
      ...spec,
    },
  });

/** For all workloads of its namespace: only what is in that namespace. */
export const sidecar = ({ spec = {}, ...fields }: IstioFields = {}): Manifest =>
  istio("Sidecar", { name: "default", ...fields, spec: { egress: [{ hosts: ["./*"] }], ...spec } });

/** A destination of a route: a subset of reviews, and its weight. */
export const toSubset = (subset: string, weight?: number): Fields => ({
  destination: { host: "reviews", subset },
  ...(weight === undefined ? {} : { weight }),
});
