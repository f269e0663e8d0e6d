import type { JsonObject } from "@bufbuild/protobuf";
import { formatAddress } from "@keelson/model";
import { nodeNameMetadata } from "@keelson/model/names";
import type { PolicyIr } from "@keelson/protos";
import { withAgent } from "@keelson/xds/envoy/testing";
import type { AdsVariant } from "../../peers/plain-envoy.ts";

/** Kinds of proxies that get different things. */
export const proxyKinds = ["sidecar", "tproxy", "router", "waypoint", "plain"] as const;
export type ProxyKind = (typeof proxyKinds)[number];

/** A proxy to be fed meshes. */
export interface Subject {
  /** Its NODE_NAME: no two of one server have the same. */
  readonly name: string;
  readonly kind: ProxyKind;
  readonly variant: AdsVariant;
  readonly node: Readonly<Record<string, unknown>>;
}

/** Where a sidecar's pod is. */
interface Place {
  readonly id: string;
  readonly addresses: readonly string[];
}

const placeOf = (namespace: string, name: string, addresses: readonly string[]): Place => ({
  id: `sidecar~${addresses[0]}~${name}.${namespace}~${namespace}.svc.cluster.local`,
  addresses,
});

/** A pod that has the first address behind each of the services of a generated mesh or of a fixture. */
const everywhere = placeOf(
  "default",
  "pod-0-1",
  Array.from({ length: 13 }, (_, i) => `10.244.${i}.1`),
);

/** The first pod of a mesh; any pod, if it has none. */
function firstPod(ir: PolicyIr): Place {
  const [workload] = ir.workloads.values();
  const addresses = workload?.addresses.map(formatAddress) ?? [];
  if (workload === undefined || addresses.length === 0) return everywhere;
  return placeOf(workload.namespace, workload.name.split("/")[1] ?? "", addresses);
}

const locality = { region: "east", zone: "a" };

function nodeOf(kind: ProxyKind, { id, addresses }: Place): { id: string; metadata: JsonObject } {
  switch (kind) {
    case "sidecar":
      return { id, metadata: { ...withAgent, INSTANCE_IPS: addresses.join(",") } };
    case "tproxy":
      return {
        id: "sidecar~10.0.0.9~c.bank~bank.svc.cluster.local",
        metadata: { INTERCEPTION_MODE: "TPROXY", HTTP_PROXY_PORT: "3128", HTTP10: "1" },
      };
    case "router":
      return {
        id: "router~10.0.0.9~gateway.shop~shop.svc.cluster.local",
        metadata: { ...withAgent, LABELS: { version: "v1", istio: "ingressgateway" } },
      };
    case "waypoint":
      return {
        id: "waypoint~10.0.0.9~waypoint-1.default~default.svc.cluster.local",
        metadata: { ...withAgent, LABELS: { "gateway.networking.k8s.io/gateway-name": "waypoint" } },
      };
    case "plain":
      return { id: "plain", metadata: {} };
  }
}

/** A proxy that lives through many meshes, or, with `ir`, one that is where the first pod of that mesh is. */
export function subjectOf(kind: ProxyKind, variant: AdsVariant, ir?: PolicyIr): Subject {
  const name = `${kind}, ${variant}${ir === undefined ? "" : ", new"}`;
  const { id, metadata } = nodeOf(kind, ir === undefined ? everywhere : firstPod(ir));
  return {
    name,
    kind,
    variant,
    node: { id, locality, metadata: { ...metadata, [nodeNameMetadata]: name } },
  };
}
