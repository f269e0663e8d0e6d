import { ApplicationProtocol, Protocol, Resolution } from "@keelson/protos/policy";
import { expect, test } from "vitest";
import { anEndpointSet, aService } from "../envoy/testing/builders.ts";
import { Answers } from "./testing/answers.ts";
import { reviews, scene } from "./testing/scene.ts";

test("endpoints are asked for by port name, and by labels of their workloads", () => {
  const answers = new Answers(scene);
  const all = ["10.1.0.1:8080", "10.1.0.2:8080"];
  expect(answers.endpoints(`${reviews}|http`)).toEqual(all);
  expect(answers.endpoints(`${reviews}|http|version=v1`)).toEqual(all.slice(0, 1));
  expect(answers.endpoints(`${reviews}|http|app=reviews,version=v1`)).toEqual(all.slice(0, 1));
  expect(answers.endpoints(`${reviews}|http|app=reviews,version=v2`)).toEqual([]);
  expect(answers.endpoints(`${reviews}|http|version=v1;version=v2`)).toEqual(all);
  expect(answers.endpoints(`${reviews}|http|version=v1;version=v3`)).toEqual(all.slice(0, 1));
  expect(answers.endpoints(`${reviews}|grpc,http`)).toEqual(all);
});

test.each([reviews, `${reviews}|grpc`, "nobody|http", "", "|", "||", "constructor|http", "__proto__|http"])(
  "nobody stands behind the key %j",
  (key) => {
    expect(new Answers(scene).endpoints(key)).toEqual([]);
  },
);

test("the one port of a service may have no name, and its key is the bare host", () => {
  const answers = new Answers({
    services: [aService("reviews", { ports: [{ port: 80 }] })],
    endpointSets: [anEndpointSet(`outbound|80||${reviews}`, [{ address: "10.1.0.1" }])],
  });
  expect(answers.endpoints(reviews)).toEqual(["10.1.0.1:8080"]);
  expect(answers.cluster(reviews)).toBeDefined();
});

test("an endpoint without a workload has the labels that it shows", () => {
  const answers = new Answers({
    ...scene,
    endpointSets: [
      anEndpointSet(`outbound|80||${reviews}`, [{ address: "10.1.0.1", labels: ["version=v1", "app=a=b"] }]),
    ],
  });
  expect(answers.endpoints(`${reviews}|http|version=v1`)).toEqual(["10.1.0.1:8080"]);
  expect(answers.endpoints(`${reviews}|http|version=v2`)).toEqual([]);
});

test("a list holds every port of every service in the mesh, and nothing that lives outside", () => {
  const answers = new Answers({
    services: [
      aService("dns", {
        ports: [
          { port: 53, name: "udp", protocol: Protocol.UDP, applicationProtocol: ApplicationProtocol.UDP },
          { port: 53, name: "tcp" },
        ],
      }),
      aService("outside", {
        meshExternal: true,
        resolution: Resolution.DNS,
        ports: [{ port: 80, name: "http" }],
      }),
      aService("let-out", {
        meshExternal: true,
        resolution: Resolution.PASSTHROUGH,
        ports: [{ port: 80, name: "http" }],
      }),
    ],
    endpointSets: [
      anEndpointSet("outbound|53/udp||dns.default.svc.cluster.local", [{ address: "fd00::1", port: 53 }]),
    ],
  });
  expect(answers.discovery.registration()).toEqual([
    { "service-key": "dns.default.svc.cluster.local|tcp", hosts: [] },
    { "service-key": "dns.default.svc.cluster.local|udp", hosts: [{ ip_address: "fd00::1", port: 53 }] },
  ]);
});
