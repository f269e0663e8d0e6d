// The Gateway API's kinds as people write them.
import { type IstioFields, istio } from "./istio-manifests.ts";
import type { Manifest } from "./manifests.ts";

type Fields = Readonly<Record<string, unknown>>;
const apiVersion = "gateway.networking.k8s.io/v1";

/** A backend of a rule: port 9080 of a service. */
export const toBackend = (name: string, weight?: number, more: Fields = {}): Fields => ({
  name,
  port: 9080,
  ...(weight === undefined ? {} : { weight }),
  ...more,
});

/** For service reviews inside the mesh; all requests to it unless spec says otherwise. */
export const httpRoute = ({ spec = {}, ...fields }: IstioFields = {}): Manifest =>
  istio("HTTPRoute", {
    apiVersion,
    name: "reviews",
    ...fields,
    spec: {
      parentRefs: [{ group: "", kind: "Service", name: "reviews" }],
      rules: [{ backendRefs: [toBackend("reviews")] }],
      ...spec,
    },
  });

/** Of class istio, with a listener "http" on port 80. */
export const kubernetesGateway = ({ spec = {}, ...fields }: IstioFields = {}): Manifest =>
  istio("Gateway", {
    apiVersion,
    name: "edge",
    ...fields,
    spec: {
      gatewayClassName: "istio",
      listeners: [{ name: "http", port: 80, protocol: "HTTP" }],
      ...spec,
    },
  });
