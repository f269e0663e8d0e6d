import { Resolution } from "@keelson/protos/policy";
import { expect, test } from "vitest";
import { ModelBuilder } from "../model-builder.ts";
import { type Manifest, pod, read, service, slice } from "../testing/index.ts";

const hostname = "reviews.default.svc.cluster.local";
const build = (...manifests: Manifest[]) => new ModelBuilder().build(read(...manifests)).model;
const annotated = (annotations: object): Manifest => ({
  ...service(),
  metadata: { name: "reviews", annotations },
});

test("annotations tell who sees a service, and who stands behind it", () => {
  const made = build(
    annotated({
      "networking.istio.io/exportTo": "., b",
      "alpha.istio.io/kubernetes-serviceaccounts": "b,a",
      "alpha.istio.io/canonical-serviceaccounts": "spiffe://x/y",
    }),
  ).services.get(hostname);
  expect(made?.exportedTo).toEqual(["b", "default"]);
  expect(made?.identities).toEqual([
    "spiffe://cluster.local/ns/default/sa/a",
    "spiffe://cluster.local/ns/default/sa/b",
    "spiffe://x/y",
  ]);
});

test("a headless service's connections go where the caller dials", () => {
  expect(
    build(service({ spec: { clusterIP: "None" }, ips: ["None"] })).services.get(hostname)?.resolution,
  ).toBe(Resolution.PASSTHROUGH);
});

const externalName = (name: string, target: string): Manifest =>
  service({ name, ips: [], ports: [], spec: { type: "ExternalName", externalName: target } });

test("a service of type ExternalName is another name of the service it names", () => {
  const { services } = build(
    service(),
    externalName("old", hostname),
    externalName("older", "old.default.svc.cluster.local"),
    externalName("outside", "www.example.com"),
    externalName("circle", "circle.default.svc.cluster.local"),
  );
  expect([...services.keys()]).toEqual([hostname]);
  expect(services.get(hostname)?.aliases).toEqual([
    "old.default.svc.cluster.local",
    "older.default.svc.cluster.local",
  ]);
});

test("a pod's labels tell its locality and whether it speaks the mesh's TLS", () => {
  const labels = { "istio-locality": "region.zone.rack", "security.istio.io/tlsMode": "istio" };
  const { endpoints } = build(service(), slice(), pod({ labels, spec: { serviceAccountName: "bookinfo" } }));
  expect(endpoints.get(hostname)).toMatchObject([
    {
      locality: "region/zone/rack",
      mutualTls: true,
      serviceAccount: "bookinfo",
      namespace: "default",
      weight: 1,
    },
  ]);
});
