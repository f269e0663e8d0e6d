import { ApplicationProtocol as Protocol, Resolution } from "@keelson/protos/policy";
import { OutboundPolicy } from "@keelson/protos/proxy";
import { expect, test } from "vitest";
import { aMesh, aRouteTable, aService } from "./testing/builders.ts";
import { actionOf, decoded } from "./testing/decoded.ts";
import { aProxy } from "./testing/proxies.ts";

const web = (name: string, init: Parameters<typeof aService>[1] = {}) =>
  aService(name, {
    addresses: ["10.96.0.5"],
    ports: [{ port: 80, applicationProtocol: Protocol.HTTP }],
    ...init,
  });

const domains = (services: ReturnType<typeof web>[], host: string, proxy = aProxy()) =>
  decoded({ services }, proxy).virtualHost("80", host).domains;

test("a service of the caller's namespace has all of its names, and its address", () => {
  expect(domains([web("a")], "a.default.svc.cluster.local:80")).toEqual([
    "a.default.svc.cluster.local",
    "a.default.svc.cluster.local.",
    "a",
    "a.default",
    "a.default.svc",
    "10.96.0.5",
  ]);
});

test("a service of another namespace is not known by its bare name", () => {
  expect(domains([web("a.shop")], "a.shop.svc.cluster.local:80")).toEqual([
    "a.shop.svc.cluster.local",
    "a.shop.svc.cluster.local.",
    "a.shop",
    "a.shop.svc",
    "10.96.0.5",
  ]);
});

test("a host outside the cluster has no shorter names", () => {
  const outside = web("x", { hostname: "api.example.com", addresses: [], meshExternal: true });
  expect(domains([outside], "api.example.com:80")).toEqual(["api.example.com", "api.example.com."]);
});

test("outside Kubernetes, what is left without the shared domain is a name", () => {
  const proxy = aProxy({ id: "sidecar~10.0.0.1~a.b~local.campus.net", metadata: { NAMESPACE: "default" } });
  const service = web("x", { hostname: "foo.local.campus.net", addresses: [] });
  expect(domains([service], "foo.local.campus.net:80", proxy)).toEqual([
    "foo.local.campus.net",
    "foo.local.campus.net.",
    "foo",
  ]);
});

test("endpoints of a headless service are reached below its name", () => {
  const headless = web("db", { addresses: [], resolution: Resolution.PASSTHROUGH });
  expect(domains([headless], "db.default.svc.cluster.local:80")).toContain("*.db.default.svc.cluster.local");
});

test("aliases are names of the service, IPv6 addresses stand in brackets", () => {
  const service = web("a", { aliases: ["old.default.svc.cluster.local"], addresses: ["fd00::5"] });
  const proxy = aProxy({ metadata: { INSTANCE_IPS: "fd00::1" } });
  const found = domains([service], "a.default.svc.cluster.local:80", proxy);
  expect(found).toEqual(expect.arrayContaining(["old", "old.default.svc.cluster.local", "[fd00::5]"]));
});

test("a short name that is another host's full name is left to it", () => {
  const services = [
    web("x", { hostname: "foo.example.com", addresses: [] }),
    web("y", { hostname: "foo.example.com.cluster.local", addresses: [] }),
  ];
  const proxy = aProxy({ id: "sidecar~10.0.0.1~a.b~cluster.local", metadata: { NAMESPACE: "default" } });
  expect(domains(services, "foo.example.com.cluster.local:80", proxy)).not.toContain("foo.example.com");
  expect(domains(services, "foo.example.com:80", proxy)).toContain("foo.example.com");
});

test("requests match whatever port they name", () => {
  expect(decoded({ services: [web("a")] }).routes("80")).toMatchObject({
    ignorePortInHostMatching: true,
    validateClusters: false,
  });
});

test("hosts that nobody has are passed through, or refused", () => {
  const open = decoded({ services: [web("a")] }).virtualHost("80", "allow_any");
  expect(actionOf(open.routes[0]).clusterSpecifier.value).toBe("PassthroughCluster");
  const mesh = aMesh({ outboundPolicy: OutboundPolicy.REGISTRY_ONLY });
  const closed = decoded({ mesh, services: [web("a")] }).virtualHost("80", "block_all");
  expect(closed.routes[0]?.action).toMatchObject({ case: "directResponse", value: { status: 502 } });
});

test("routes that nobody has are empty, not absent", () => {
  expect(decoded({}).routes("no-such-route").virtualHosts).toEqual([]);
});

test("on port 80, rules count for hosts that no service has", () => {
  const services = [web("a")];
  const table = aRouteTable("VirtualService/default/g", {
    hosts: ["www.example.org"],
    http: [{ destinations: [{ hostname: "a.default.svc.cluster.local" }] }],
  });
  const host = decoded({ services, routeTables: [table] }).virtualHost("80", "www.example.org:80");
  expect(actionOf(host.routes[0]).clusterSpecifier.value).toBe("outbound|80||a.default.svc.cluster.local");
});

test("a forward proxy's routes name the port", () => {
  const proxy = aProxy({ metadata: { HTTP_PROXY_PORT: "3128" } });
  const resources = decoded(
    { services: [web("a", { ports: [{ port: 8080, applicationProtocol: Protocol.HTTP }] })] },
    proxy,
  );
  expect(resources.names("listener")).toContain("127.0.0.1_3128");
  const found = resources.virtualHost("http_proxy", "a.default.svc.cluster.local:8080").domains;
  expect(found).toContain("a.default.svc.cluster.local:8080");
  expect(found.every((domain) => domain.endsWith(":8080"))).toBe(true);
});
