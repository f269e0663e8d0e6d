import { fromBinary } from "@bufbuild/protobuf";
import { NameTableSchema } from "@keelson/protos/name-table";
import { Resolution } from "@keelson/protos/policy";
import { expect, test } from "vitest";
import { anEndpointSet, aService, aSidecarScope, type IrParts } from "./testing/builders.ts";
import { decoded } from "./testing/decoded.ts";
import { aProxy } from "./testing/proxies.ts";
import { envoyTypeUrls } from "./type-urls.ts";

function table(parts: IrParts, proxy = aProxy()) {
  const resources = [...decoded(parts, proxy).view.resources(envoyTypeUrls.nameTable).values()];
  expect(resources.map(({ name }) => name)).toEqual([""]);
  return fromBinary(NameTableSchema, resources[0]?.body ?? new Uint8Array()).table;
}

const headless = aService("db", {
  addresses: [],
  resolution: Resolution.PASSTHROUGH,
  ports: [{ port: 1 }, { port: 2 }],
});

test("the one table holds every service that is seen, Kubernetes' with their parts", () => {
  const outside = aService("x", { hostname: "api.example.com", addresses: ["240.0.0.1"] });
  expect(
    table({ services: [aService("a.shop", { addresses: ["10.96.0.1", "fd00::1"] }), outside] }),
  ).toMatchObject({
    "a.shop.svc.cluster.local": {
      ips: ["10.96.0.1"],
      registry: "Kubernetes",
      shortname: "a",
      namespace: "shop",
    },
    "api.example.com": { ips: ["240.0.0.1"], registry: "External", shortname: "", namespace: "" },
  });
});

test("a headless service is answered with its endpoints, each once", () => {
  const endpointSets = [1, 2].map((port) =>
    anEndpointSet(`outbound|${port}||db.default.svc.cluster.local`, [
      { address: "10.0.0.5", port },
      { address: `10.0.0.${port}`, port },
    ]),
  );
  expect(table({ services: [headless], endpointSets })["db.default.svc.cluster.local"]?.ips).toEqual([
    "10.0.0.5",
    "10.0.0.1",
    "10.0.0.2",
  ]);
});

test("what has no address is left to others", () => {
  expect(
    table({ services: [headless, aService("x", { hostname: "*.example.com", addresses: [] })] }),
  ).toEqual({});
});

test("a Sidecar narrows the names as well", () => {
  const scope = aSidecarScope("default/s", { egress: [{ hosts: ["shop/*"] }] });
  expect(
    Object.keys(table({ services: [aService("a"), aService("b.shop")], sidecarScopes: [scope] })),
  ).toEqual(["b.shop.svc.cluster.local"]);
});
