import type { z } from "zod";
import type { ConfigObject, Problem } from "../config-object.ts";
import { type ConfigMap, configMap } from "./config-map.ts";
import { type DestinationPolicy, destinationPolicy } from "./destination-policy.ts";
import { checkDestinationPolicy } from "./destination-policy-check.ts";
import { type DestinationRule, destinationRule } from "./destination-rule.ts";
import { checkDestinationRule } from "./destination-rule-check.ts";
import { type EgressRule, egressRule } from "./egress-rule.ts";
import { checkEgressRule } from "./egress-rule-check.ts";
import { type EndpointSlice, endpointSlice } from "./endpoint-slice.ts";
import { type Gateway, gateway } from "./gateway.ts";
import { type HttpRoute, httpRoute } from "./http-route.ts";
import { checkHttpRoute } from "./http-route-check.ts";
import { type Ingress, ingress } from "./ingress.ts";
import { checkIngress } from "./ingress-check.ts";
import { type IngressClass, ingressClass } from "./ingress-class.ts";
import { type IstioGateway, istioGateway } from "./istio-gateway.ts";
import { checkIstioGateway } from "./istio-gateway-check.ts";
import { type Namespace, namespace } from "./namespace.ts";
import { type Node, node } from "./node.ts";
import { type PeerAuthentication, peerAuthentication } from "./peer-authentication.ts";
import { checkPeerAuthentication } from "./peer-authentication-check.ts";
import { type Pod, pod } from "./pod.ts";
import { type ReferenceGrant, referenceGrant } from "./reference-grant.ts";
import { type RouteRule, routeRule } from "./route-rule.ts";
import { checkRouteRule } from "./route-rule-check.ts";
import { type Secret, secret } from "./secret.ts";
import { checkSecret } from "./secret-check.ts";
import { type KubernetesService, kubernetesService } from "./service.ts";
import { type ServiceEntry, serviceEntry } from "./service-entry.ts";
import { checkServiceEntry } from "./service-entry-check.ts";
import { type Sidecar, sidecar } from "./sidecar.ts";
import { checkSidecar } from "./sidecar-check.ts";
import { type VirtualService, virtualService } from "./virtual-service.ts";
import { checkVirtualService } from "./virtual-service-check.ts";
import { type WasmPlugin, wasmPlugin } from "./wasm-plugin.ts";
import { checkWasmPlugin } from "./wasm-plugin-check.ts";
import { type WorkloadEntry, workloadEntry } from "./workload-entry.ts";

/** What is known of one kind of object. */
export interface KindDescription<Known extends KnownObject = KnownObject> {
  readonly kind: Known["kind"];
  /** API group, empty for Kubernetes' core. */
  readonly group: Known["group"];
  /** Those that are read, the first being the usual one. */
  readonly versions: readonly string[];
  /** Of the object without apiVersion, kind and metadata. */
  readonly schema: z.ZodType<Known["body"]>;
  /** What must hold beyond the schema. */
  check?(object: Known): readonly Problem[];
  /** Fields may also be written in snake_case, as Istio 0.2 took them (protobuf's JSON mapping). */
  readonly snakeCase?: true;
  /** Written by people: worth the memory of knowing where each field stands. */
  readonly handWritten?: true;
  /** Nothing of what is in it may be shown to anybody. */
  readonly confidential?: true;
}

const describe = <Known extends KnownObject>(description: KindDescription<Known>): KindDescription =>
  // Sound as long as `check` is only called with objects of the description's own kind: see parseObject.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion, typescript/no-unnecessary-type-assertion
  description as unknown as KindDescription;

/** What the rules of Istio 0.2 have in common. */
const legacy = {
  group: "config.istio.io",
  versions: ["v1alpha2"],
  snakeCase: true,
  handWritten: true,
} as const;

/** What Istio's rules of today have in common. */
const networking = {
  group: "networking.istio.io",
  versions: ["v1", "v1beta1", "v1alpha3"],
  handWritten: true,
} as const;

/** What the kinds of the Gateway API have in common. */
const gatewayApi = {
  group: "gateway.networking.k8s.io",
  versions: ["v1", "v1beta1"],
  handWritten: true,
} as const;

/** Every kind that is read. A kind that is not here is reported and ignored. */
export const kinds: readonly KindDescription[] = [
  describe<ServiceObject>({ kind: "Service", group: "", versions: ["v1"], schema: kubernetesService }),
  describe<EndpointSliceObject>({
    kind: "EndpointSlice",
    group: "discovery.k8s.io",
    versions: ["v1"],
    schema: endpointSlice,
  }),
  describe<PodObject>({ kind: "Pod", group: "", versions: ["v1"], schema: pod }),
  describe<NamespaceObject>({ kind: "Namespace", group: "", versions: ["v1"], schema: namespace }),
  describe<NodeObject>({ kind: "Node", group: "", versions: ["v1"], schema: node }),
  describe<RouteRuleObject>({ ...legacy, kind: "RouteRule", schema: routeRule, check: checkRouteRule }),
  describe<DestinationPolicyObject>({
    ...legacy,
    kind: "DestinationPolicy",
    // Istio's own sample of 0.2 says v1beta1.
    versions: ["v1alpha2", "v1beta1"],
    schema: destinationPolicy,
    check: checkDestinationPolicy,
  }),
  describe<EgressRuleObject>({ ...legacy, kind: "EgressRule", schema: egressRule, check: checkEgressRule }),
  describe<VirtualServiceObject>({
    ...networking,
    kind: "VirtualService",
    schema: virtualService,
    check: checkVirtualService,
  }),
  describe<DestinationRuleObject>({
    ...networking,
    kind: "DestinationRule",
    schema: destinationRule,
    check: checkDestinationRule,
  }),
  describe<ServiceEntryObject>({
    ...networking,
    kind: "ServiceEntry",
    schema: serviceEntry,
    check: checkServiceEntry,
  }),
  describe<WorkloadEntryObject>({ ...networking, kind: "WorkloadEntry", schema: workloadEntry }),
  describe<GatewayObject>({ ...gatewayApi, kind: "Gateway", schema: gateway }),
  describe<HttpRouteObject>({ ...gatewayApi, kind: "HTTPRoute", schema: httpRoute, check: checkHttpRoute }),
  describe<NetworkingIngressObject>({
    kind: "Ingress",
    group: "networking.k8s.io",
    versions: ["v1", "v1beta1"],
    handWritten: true,
    schema: ingress,
    check: checkIngress,
  }),
  describe<ExtensionsIngressObject>({
    kind: "Ingress",
    group: "extensions",
    versions: ["v1beta1"],
    handWritten: true,
    schema: ingress,
    check: checkIngress,
  }),
  describe<IngressClassObject>({
    kind: "IngressClass",
    group: "networking.k8s.io",
    versions: ["v1"],
    schema: ingressClass,
  }),
  describe<IstioGatewayObject>({
    ...networking,
    kind: "Gateway",
    schema: istioGateway,
    check: checkIstioGateway,
  }),
  describe<SidecarObject>({ ...networking, kind: "Sidecar", schema: sidecar, check: checkSidecar }),
  describe<PeerAuthenticationObject>({
    kind: "PeerAuthentication",
    group: "security.istio.io",
    versions: ["v1", "v1beta1"],
    handWritten: true,
    schema: peerAuthentication,
    check: checkPeerAuthentication,
  }),
  describe<WasmPluginObject>({
    kind: "WasmPlugin",
    group: "extensions.istio.io",
    versions: ["v1alpha1"],
    handWritten: true,
    schema: wasmPlugin,
    check: checkWasmPlugin,
  }),
  describe<ReferenceGrantObject>({
    ...gatewayApi,
    kind: "ReferenceGrant",
    versions: ["v1", "v1beta1", "v1alpha2"],
    schema: referenceGrant,
  }),
  describe<SecretObject>({
    kind: "Secret",
    group: "",
    versions: ["v1"],
    confidential: true,
    schema: secret,
    check: checkSecret,
  }),
  describe<ConfigMapObject>({
    kind: "ConfigMap",
    group: "",
    versions: ["v1"],
    confidential: true,
    schema: configMap,
  }),
];

export type ServiceObject = ConfigObject<"Service", "", KubernetesService>;
export type EndpointSliceObject = ConfigObject<"EndpointSlice", "discovery.k8s.io", EndpointSlice>;
export type PodObject = ConfigObject<"Pod", "", Pod>;
export type NamespaceObject = ConfigObject<"Namespace", "", Namespace>;
export type NodeObject = ConfigObject<"Node", "", Node>;
export type RouteRuleObject = ConfigObject<"RouteRule", "config.istio.io", RouteRule>;
export type DestinationPolicyObject = ConfigObject<"DestinationPolicy", "config.istio.io", DestinationPolicy>;
export type EgressRuleObject = ConfigObject<"EgressRule", "config.istio.io", EgressRule>;
export type VirtualServiceObject = ConfigObject<"VirtualService", "networking.istio.io", VirtualService>;
export type ServiceEntryObject = ConfigObject<"ServiceEntry", "networking.istio.io", ServiceEntry>;
export type WorkloadEntryObject = ConfigObject<"WorkloadEntry", "networking.istio.io", WorkloadEntry>;
export type IstioGatewayObject = ConfigObject<"Gateway", "networking.istio.io", IstioGateway>;
export type GatewayObject = ConfigObject<"Gateway", "gateway.networking.k8s.io", Gateway>;
export type HttpRouteObject = ConfigObject<"HTTPRoute", "gateway.networking.k8s.io", HttpRoute>;
export type NetworkingIngressObject = ConfigObject<"Ingress", "networking.k8s.io", Ingress>;
export type ExtensionsIngressObject = ConfigObject<"Ingress", "extensions", Ingress>;
export type IngressClassObject = ConfigObject<"IngressClass", "networking.k8s.io", IngressClass>;
export type PeerAuthenticationObject = ConfigObject<
  "PeerAuthentication",
  "security.istio.io",
  PeerAuthentication
>;
export type WasmPluginObject = ConfigObject<"WasmPlugin", "extensions.istio.io", WasmPlugin>;
export type ReferenceGrantObject = ConfigObject<
  "ReferenceGrant",
  "gateway.networking.k8s.io",
  ReferenceGrant
>;
export type SecretObject = ConfigObject<"Secret", "", Secret>;
export type ConfigMapObject = ConfigObject<"ConfigMap", "", ConfigMap>;
export type IngressObject = NetworkingIngressObject | ExtensionsIngressObject;
export type SidecarObject = ConfigObject<"Sidecar", "networking.istio.io", Sidecar>;
export type DestinationRuleObject = ConfigObject<"DestinationRule", "networking.istio.io", DestinationRule>;

/** An object of any kind in `kinds`; which one, `kind` and `group` tell. */
export type KnownObject =
  | ServiceObject
  | EndpointSliceObject
  | PodObject
  | NamespaceObject
  | NodeObject
  | RouteRuleObject
  | DestinationPolicyObject
  | EgressRuleObject
  | VirtualServiceObject
  | DestinationRuleObject
  | ServiceEntryObject
  | WorkloadEntryObject
  | IstioGatewayObject
  | SidecarObject
  | NetworkingIngressObject
  | ExtensionsIngressObject
  | IngressClassObject
  | GatewayObject
  | HttpRouteObject
  | PeerAuthenticationObject
  | WasmPluginObject
  | ReferenceGrantObject
  | SecretObject
  | ConfigMapObject;

const byName = new Map(kinds.map((description) => [`${description.kind}.${description.group}`, description]));

/** @returns undefined for a kind that is not read. */
export const findKind = (kind: string, group: string): KindDescription | undefined =>
  byName.get(`${kind}.${group}`);
