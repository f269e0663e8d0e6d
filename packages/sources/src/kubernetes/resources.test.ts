import { kinds } from "@keelson/model";
import { expect, test } from "vitest";
import { collectionName } from "./collection.ts";
import { resources } from "./resources.ts";

const placesOf = (kind: string): string[] =>
  resources
    .filter((resource) => resource.kind === kind)
    .flatMap(({ collections }) => collections.map((one) => `${collectionName(one)} ${one.version}`));

test("every kind of the model is read", () => {
  const read = new Set(resources.map(({ kind }) => kind));
  expect(kinds.filter(({ kind }) => !read.has(kind))).toEqual([]);
});

test("a kind that stands in several versions, or groups, is read once", () => {
  expect(placesOf("VirtualService")).toEqual(
    ["v1", "v1beta1", "v1alpha3"].map((version) => `virtualservices.networking.istio.io ${version}`),
  );
  expect(placesOf("Ingress")).toEqual([
    "ingresses.networking.k8s.io v1",
    "ingresses.networking.k8s.io v1beta1",
    "ingresses.extensions v1beta1",
  ]);
  expect(placesOf("EndpointSlice")).toEqual(["endpointslices.discovery.k8s.io v1", "endpoints v1"]);
});

test("plurals are those of the custom resource definitions", () => {
  expect(placesOf("DestinationPolicy")).toContain("destinationpolicies.config.istio.io v1alpha2");
  expect(placesOf("ServiceEntry")).toContain("serviceentries.networking.istio.io v1");
  expect(placesOf("Gateway")).toEqual(expect.arrayContaining(["gateways.gateway.networking.k8s.io v1"]));
});
