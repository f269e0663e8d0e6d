// Rules of Istio 0.2 as people write them, beside the RouteRule of manifests.ts.
import { type IstioFields, istio } from "./istio-manifests.ts";
import type { Manifest } from "./manifests.ts";

const apiVersion = "config.istio.io/v1alpha2";

/** For service reviews. */
export const destinationPolicy = ({ spec = {}, ...fields }: IstioFields = {}): Manifest =>
  istio("DestinationPolicy", { apiVersion, ...fields, spec: { destination: { name: "reviews" }, ...spec } });

/** For *.example.com, ports 80 and 443. */
export const egressRule = ({ spec = {}, ...fields }: IstioFields = {}): Manifest =>
  istio("EgressRule", {
    apiVersion,
    ...fields,
    spec: {
      destination: { service: "*.example.com" },
      ports: [
        { port: 80, protocol: "http" },
        { port: 443, protocol: "https" },
      ],
      ...spec,
    },
  });

interface IngressFields extends IstioFields {
  readonly annotations?: Readonly<Record<string, string>>;
}

/**
 * Of class istio, as Kubernetes had them in the days of Istio 0.2.
 * @param spec of v1beta1, unless apiVersion says otherwise
 */
export const ingress = ({
  annotations = { "kubernetes.io/ingress.class": "istio" },
  ...fields
}: IngressFields = {}): Manifest => {
  const object = istio("Ingress", { apiVersion: "extensions/v1beta1", name: "front", ...fields });
  return { ...object, metadata: { ...object.metadata, annotations } };
};
