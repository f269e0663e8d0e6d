import { expect, test } from "vitest";
import { ModelBuilder } from "../model-builder.ts";
import {
  kubernetesGateway,
  type Manifest,
  pod,
  read,
  service,
  serviceEntry,
  slice,
} from "../testing/index.ts";

const build = (...manifests: Manifest[]) => new ModelBuilder().build(read(...manifests));
const labelled = (manifest: Manifest, labels: object): Manifest => ({
  ...manifest,
  metadata: { ...manifest.metadata, labels },
});

test.each<[object, string]>([
  [{ "istio.io/use-waypoint": "w" }, "default/w"],
  [{ "istio.io/use-waypoint": "w", "istio.io/use-waypoint-namespace": "infra" }, "infra/w"],
  [{ "istio.io/use-waypoint": "none" }, ""],
  [{}, ""],
])("labels %o name the waypoint %s", (labels, waypoint) => {
  const { services } = build(labelled(service(), labels), labelled(serviceEntry(), labels)).model;
  expect([...services.values()].map((each) => each.waypoint)).toEqual([waypoint, waypoint]);
});

test("a pod that ztunnel takes tunnels for, or that takes them itself, is told so", () => {
  const tunnelOf = (metadata: object) => {
    const own = pod();
    const changed = { ...own, metadata: { ...own.metadata, ...metadata } };
    const { endpoints } = build(service(), slice(), changed).model;
    return [...endpoints.values()].flat().map(({ tunnel }) => tunnel);
  };
  expect(tunnelOf({})).toEqual([false]);
  expect(tunnelOf({ annotations: { "ambient.istio.io/redirection": "enabled" } })).toEqual([true]);
  expect(tunnelOf({ labels: { "networking.istio.io/tunnel": "http" } })).toEqual([true]);
});

test("a waypoint's Gateway is none of the gateways, and only for services", () => {
  const gateway = kubernetesGateway({ spec: { gatewayClassName: "istio-waypoint" } });
  const { model, problems } = build(gateway);
  expect([model.gateways.size, problems]).toEqual([0, []]);
  expect(build(labelled(gateway, { "istio.io/waypoint-for": "all" })).problems).toMatchObject([
    { severity: "warning", message: expect.stringContaining('"all" has no effect') as string },
  ]);
});
