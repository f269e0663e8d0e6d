// The world that Pilot 0.2.12 tested its answers with, as Kubernetes objects.
import { Compiler } from "@keelson/compiler";
import { type KnownObject, ModelBuilder, readMeshConfig } from "@keelson/model";
import { type Manifest, originAt, pod, read, service, slice } from "@keelson/model/testing";
import type { PolicyIr } from "@keelson/protos";

/** Fields of Istio's MeshConfig. */
export type MeshFields = Readonly<Record<string, string | number>>;

const mockMesh: MeshFields = {
  mixerAddress: "localhost:9091",
  egressProxyAddress: "localhost:8888",
  rdsRefreshDelay: "0.010s",
};

const domain = "default.svc.cluster.local";

export const nodes = {
  v0: `sidecar~10.1.1.0~v0.default~${domain}`,
  v1: `sidecar~10.1.1.1~v1.default~${domain}`,
  ingress: `ingress~10.3.3.3~ingress.default~${domain}`,
  egress: `egress~10.3.3.4~egress.default~${domain}`,
} as const;

const ports = [
  { name: "http", port: 80, target: 80 },
  { name: "http-status", port: 81, target: 1081 },
  { name: "custom", port: 90, target: 1090 },
  { name: "mongo", port: 100, target: 1100 },
  { name: "redis", port: 110, target: 1110 },
];

/** Every workload there has these two probes, by number and by name. */
const probed = {
  containers: [
    {
      name: "app",
      ports: [{ name: "custom", containerPort: 9999 }],
      livenessProbe: { httpGet: { path: "/", port: 3333 } },
      readinessProbe: { tcpSocket: { port: "custom" } },
    },
  ],
};

/** A service with two pods, v0 and v1. @param accounts of the pods; an empty one has no identity */
function application(name: string, network: string, accounts: readonly string[]): Manifest[] {
  return [
    service({
      name,
      ips: [`${network}.0.0`],
      ports: ports.map((port) => ({ name: port.name, port: port.port })),
    }),
    slice({
      service: name,
      endpoints: accounts.map((_, i) => `${network}.1.${i}`),
      ports: ports.map((port) => ({ name: port.name, port: port.target })),
    }),
    ...accounts.map((serviceAccountName, i) =>
      pod({
        name: `${name}-v${i}`,
        labels: { version: `v${i}` },
        ip: `${network}.1.${i}`,
        spec: { serviceAccountName, ...probed },
      }),
    ),
  ];
}

const external = (name: string, port: Readonly<Record<string, unknown>>): Manifest =>
  service({ name, ips: [], ports: [port], spec: { type: "ExternalName", externalName: "httpbin.org" } });

const mockManifests: readonly Manifest[] = [
  ...application("hello", "10.1", ["", ""]),
  ...application("world", "10.2", ["serviceaccount1", "serviceaccount2"]),
  external("httpbin", { name: "http", port: 80 }),
  external("httpsbin", { name: "https", port: 443 }),
];

/**
 * @param rules beside the services
 * @param fields of the mesh configuration that are not as in the mock world
 */
export function mockIr(rules: readonly KnownObject[] = [], fields: MeshFields = {}): PolicyIr {
  const mesh = readMeshConfig({ ...mockMesh, ...fields }, originAt("mesh.yaml"), "cluster.local").value;
  const { model } = new ModelBuilder().build([...read(...mockManifests), ...rules], mesh);
  return new Compiler().compile(model).ir;
}
