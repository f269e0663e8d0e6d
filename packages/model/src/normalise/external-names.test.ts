import { expect, test } from "vitest";
import { ModelBuilder } from "../model-builder.ts";
import { read, type ServiceFields, service } from "../testing/index.ts";

const build = (...services: ServiceFields[]) => new ModelBuilder().build(read(...services.map(service)));

const outside: ServiceFields = {
  name: "outside",
  ips: [],
  ports: [
    { name: "https", port: 443 },
    { name: "http", port: 80 },
  ],
  spec: { type: "ExternalName", externalName: "httpbin.org" },
};

test("a service may be another name for a host that no registry knows", () => {
  const { model, problems } = build(outside);
  expect(problems).toEqual([]);
  expect(model.services.size).toBe(0);
  expect([...model.externalNames]).toEqual([
    [
      "outside.default.svc.cluster.local",
      {
        hostname: "outside.default.svc.cluster.local",
        namespace: "default",
        target: "httpbin.org",
        ports: [
          { port: 80, name: "http", transport: "TCP", protocol: "http" },
          { port: 443, name: "https", transport: "TCP", protocol: "https" },
        ],
      },
    ],
  ]);
});

test("they are sorted by name; services of other types, and those that lead nowhere, are none", () => {
  const { model } = build(
    { ...outside, name: "b" },
    { ...outside, name: "a" },
    { name: "reviews" },
    { ...outside, name: "nowhere", spec: { type: "ExternalName" } },
  );
  expect([...model.externalNames.keys()]).toEqual([
    "a.default.svc.cluster.local",
    "b.default.svc.cluster.local",
  ]);
});

test("a port that cannot be routed is told once", () => {
  const sctp = { ...outside, ports: [{ name: "x", port: 1, protocol: "SCTP" }] };
  expect(build(sctp).problems.map(({ field }) => field)).toEqual(["spec.ports[0].protocol"]);
});

test("what did not change is the same object again", () => {
  const builder = new ModelBuilder();
  const objects = read(service(outside));
  const first = builder.build(objects).model.externalNames.get("outside.default.svc.cluster.local");
  expect(builder.build(objects).model.externalNames.get("outside.default.svc.cluster.local")).toBe(first);
});
