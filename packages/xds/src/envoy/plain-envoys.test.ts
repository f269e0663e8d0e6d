import { ApplicationProtocol as Protocol } from "@keelson/protos/policy";
import { expect, test } from "vitest";
import { bookinfo, reviews } from "./testing/bookinfo.ts";
import { aService } from "./testing/builders.ts";
import { decoded, summariesOf } from "./testing/decoded.ts";
import { aProxy } from "./testing/proxies.ts";

const plain = aProxy({ id: "my-envoy" });
const tls = (name: string) =>
  aService(name, { addresses: ["10.96.0.9"], ports: [{ port: 443, applicationProtocol: Protocol.HTTPS }] });

test("services are reached on the loopback interface, at their own ports", () => {
  const resources = decoded(bookinfo, plain);
  expect(resources.names("listener")).toEqual(["127.0.0.1_9080"]);
  const listener = resources.listener("127.0.0.1_9080");
  expect(listener.bindToPort).toBeUndefined();
  expect(summariesOf(listener)).toEqual(["routes 9080"]);
  expect(resources.virtualHost("9080", `${reviews}:9080`).domains).toContain("reviews");
});

test("hosts that nobody has are refused: nobody knows where the request was meant to go", () => {
  const [host] = decoded(bookinfo, plain).routes("9080").virtualHosts.slice(-1);
  expect([host?.name, host?.routes[0]?.action]).toMatchObject(["block_all", { value: { status: 502 } }]);
});

test("it has no inbound side, and all clusters", () => {
  expect(decoded(bookinfo, plain).names("cluster")).toEqual([
    "outbound|9080||ratings.default.svc.cluster.local",
    `outbound|9080||${reviews}`,
    "BlackHoleCluster",
    "PassthroughCluster",
  ]);
});

test("TLS services of one port are told apart by every name they have", () => {
  const listener = decoded({ services: [tls("a"), tls("b.shop")] }, plain).listener("127.0.0.1_443");
  expect(listener.filterChains.map(({ filterChainMatch }) => filterChainMatch?.serverNames)).toEqual([
    ["a", "a.default", "a.default.svc", "a.default.svc.cluster.local"],
    ["b.shop", "b.shop.svc", "b.shop.svc.cluster.local"],
  ]);
});

test("ports that do not say share their listener's routes, as they share its address", () => {
  const any = (name: string) => aService(name, { ports: [{ port: 7000 }] });
  const resources = decoded({ services: [any("a"), any("b")] }, plain);
  expect(summariesOf(resources.listener("127.0.0.1_7000"))[0]).toBe("routes 7000");
  expect(resources.routes("7000").virtualHosts).toHaveLength(3);
});

test("low ports are left out where they cannot be bound", () => {
  const services = [aService("a", { ports: [{ port: 80, applicationProtocol: Protocol.HTTP }] })];
  const unprivileged = aProxy({ id: "my-envoy", metadata: { UNPRIVILEGED_POD: "true" } });
  expect(decoded({ services }, unprivileged).names("listener")).toEqual([]);
});

test("it may say where it is, and that traffic is redirected to it", () => {
  const proxy = aProxy({ id: "my-envoy", metadata: { NAMESPACE: "shop", INTERCEPTION_MODE: "REDIRECT" } });
  const resources = decoded(bookinfo, proxy);
  expect(resources.names("listener")).toEqual(["0.0.0.0_9080", "virtualOutbound", "virtualInbound"]);
  expect(resources.virtualHost("9080", `${reviews}:9080`).domains).not.toContain("reviews");
});
