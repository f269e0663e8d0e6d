import { ApplicationProtocol, Protocol } from "@keelson/protos/policy";
import { expect, test } from "vitest";
import { address, anEndpointSet, aService, aWorkload } from "../envoy/testing/builders.ts";
import { Answers, sidecar } from "./testing/answers.ts";
import { httpPort, reviews, scene, tcpPort } from "./testing/scene.ts";

const names = (answers: Answers, node?: string): string[] => answers.listeners(node).map(({ name }) => name);

test("one listener takes what is captured, and the others what is dialled; sorted by address", () => {
  const answers = new Answers(scene);
  expect(names(answers, sidecar("10.1.0.1"))).toEqual([
    "virtual",
    "http_0.0.0.0_80",
    "http_10.1.0.1_8080",
    "tcp_10.1.0.1_9000",
  ]);
  expect(answers.listeners().map(({ bind_to_port: binds }) => binds)).toEqual([true, false]);
  expect(answers.listener("virtual")).toEqual({
    address: "tcp://0.0.0.0:15001",
    name: "virtual",
    filters: [],
    bind_to_port: true,
    use_original_dst: true,
  });
});

test("a probe's port that a service has is left to the service", () => {
  const clusters = new Answers(scene).clusters(sidecar("10.1.0.1")).map(({ name }) => name);
  expect(clusters.filter((name) => name.startsWith("in."))).toEqual(["in.8080", "in.9000"]);
});

test("probes have no certificate: they are let in without", () => {
  const answers = new Answers(scene, { mesh: { mutualTls: true } });
  const node = sidecar("10.1.0.1");
  expect(answers.listener("http_10.1.0.1_8080", node)).toMatchObject({
    ssl_context: { require_client_certificate: true, ca_cert_file: "/etc/certs/root-cert.pem" },
  });
  expect(answers.listener("tcp_10.1.0.1_9000", node)).not.toHaveProperty("ssl_context");
});

test("a port that is HTTP for one service and TCP for another without an address is TCP", () => {
  const services = [
    aService("a", { addresses: [], ports: [{ ...tcpPort, port: 80 }] }),
    aService("b", { addresses: [], ports: [{ ...tcpPort, port: 80 }] }),
    aService("c", { ports: [httpPort] }),
  ];
  const answers = new Answers({ services });
  expect(names(answers)).toEqual(["virtual", "tcp_0.0.0.0_80"]);
  const keys = answers.clusters().map(({ service_name: key }) => String(key));
  expect(keys.sort()).toEqual(["a.default.svc.cluster.local|tcp", "c.default.svc.cluster.local|http"]);
});

test("two services that send to one port of a workload share its listener", () => {
  const services = ["a", "b"].map((name) => aService(name, { ports: [tcpPort] }));
  const endpointSets = services.map(({ hostname }) =>
    anEndpointSet(`outbound|90||${hostname}`, [{ address: "10.1.0.1" }]),
  );
  const answers = new Answers({ services, endpointSets });
  expect(names(answers, sidecar("10.1.0.1")).filter((name) => name.includes("10.1.0.1"))).toEqual([
    "tcp_10.1.0.1_8080",
  ]);
});

test("UDP has no listeners", () => {
  const ports = [{ ...tcpPort, protocol: Protocol.UDP, applicationProtocol: ApplicationProtocol.UDP }];
  const answers = new Answers({
    services: [aService("a", { ports })],
    endpointSets: [anEndpointSet("outbound|90/udp||a.default.svc.cluster.local", [{ address: "10.1.0.1" }])],
  });
  expect(names(answers, sidecar("10.1.0.1"))).toEqual(["virtual"]);
  expect(answers.clusters(sidecar("10.1.0.1"))).toEqual([]);
});

test("addresses of IPv6 stand in brackets, and are ranges of their own length", () => {
  const answers = new Answers({
    services: [aService("a", { addresses: ["fd00::1"], ports: [tcpPort] })],
    endpointSets: [anEndpointSet("outbound|90||a.default.svc.cluster.local", [{ address: "fd00::2" }])],
    workloads: [aWorkload("default/a", { addresses: [address("fd00::2")], probePorts: [9000] })],
  });
  expect(answers.listeners(sidecar("fd00::2"))).toMatchObject([
    { name: "virtual" },
    {
      name: "tcp_fd00::1_90",
      address: "tcp://[fd00::1]:90",
      filters: [{ config: { route_config: { routes: [{ destination_ip_list: ["fd00::1/128"] }] } } }],
    },
    { address: "tcp://[fd00::2]:8080" },
    { address: "tcp://[fd00::2]:9000" },
  ]);
});

test("without tracing no request gets an id; without an access log there is an empty list of them", () => {
  const answers = new Answers(scene, { mesh: { enableTracing: false, accessLogFile: "" } });
  const config = answers.listener("http_0.0.0.0_80")?.filters[0]?.config;
  expect(config).toMatchObject({ access_log: [] });
  expect(config).not.toHaveProperty("tracing");
  expect(config).not.toHaveProperty("generate_request_id");
});

test("where policy is not checked, Mixer is told only", () => {
  const ports = [httpPort, tcpPort];
  const parts = {
    services: [aService("reviews", { ports })],
    endpointSets: ports.map(({ port }) =>
      anEndpointSet(`outbound|${port}||${reviews}`, [{ address: "10.1.0.1", port }]),
    ),
  };
  const mesh = { mixerAddress: "mixer:1", disablePolicyChecks: true };
  const answers = new Answers(parts, { mesh });
  const node = sidecar("10.1.0.1");
  const [tcp] = answers.listener("tcp_10.1.0.1_90", node)?.filters ?? [];
  expect(tcp).toMatchObject({ name: "mixer", config: { disable_tcp_check_calls: true } });
  const [http] = answers.listener("http_10.1.0.1_80", node)?.filters ?? [];
  expect(http?.config.route_config?.virtual_hosts?.[0]?.routes[0]).toMatchObject({
    opaque_config: { mixer_check: "off", mixer_forward: "off", mixer_report: "on" },
  });
  expect(answers.clusters(node).at(-1)).toMatchObject({
    name: "mixer_server",
    hosts: [{ url: "tcp://mixer:1" }],
  });
});

test("where nothing is captured, there is only the forward proxy, if there is one", () => {
  const only = new Answers(scene, { mesh: { proxyListenPort: 0 } });
  expect([only.listeners(), only.clusters()]).toEqual([[], []]);
  const forward = new Answers(scene, { mesh: { proxyListenPort: 0, proxyHttpPort: 15_002 } });
  expect(names(forward)).toEqual(["http_127.0.0.1_15002"]);
  const both = new Answers(scene, { mesh: { proxyHttpPort: 15_002 } });
  expect(names(both)).toContain("http_127.0.0.1_15002");
  expect(both.clusters()).toEqual(forward.clusters());
});

test("0.2 has nothing for proxies that it does not know", () => {
  const node = "router~10.1.0.1~a.default~x";
  const { discovery } = new Answers(scene);
  const parsed = { type: "router", address: "10.1.0.1", id: "a.default", domain: "x" };
  expect(new Answers(scene).listeners(node)).toBeNull();
  expect(new Answers(scene).clusters(node)).toBeNull();
  expect(discovery.routes("80", parsed)).toBeNull();
  expect(new Answers(scene, { mesh: { mixerAddress: "mixer:1" } }).clusters(node)).toHaveLength(1);
});
