import { expect, test } from "vitest";
import { aService } from "../envoy/testing/builders.ts";
import { Answers, sidecar } from "./testing/answers.ts";
import { httpPort, reviews, scene } from "./testing/scene.ts";

const domainsOf = (node: string): readonly string[] =>
  new Answers(scene).hosts("80", node).find(({ name }) => name === `${reviews}|http`)?.domains ?? [];

const names = (...all: string[]): string[] => all.flatMap((name) => [`${name}:80`, name]);

test("a service is called by every name that its caller's own domain completes, and by its address", () => {
  expect(domainsOf(sidecar())).toEqual(
    names(
      "reviews",
      "reviews.default",
      "reviews.default.svc",
      "reviews.default.svc.cluster",
      reviews,
      "10.96.0.1",
    ),
  );
});

test("callers of other namespaces name the service's", () => {
  expect(domainsOf(sidecar("10.9.9.9", "other"))).toEqual(
    names("reviews.default", "reviews.default.svc", "reviews.default.svc.cluster", reviews, "10.96.0.1"),
  );
});

test.each(["", "unrelated.org", "a.much.longer.name.of.another.domain"])(
  "a caller in domain %j uses the whole name",
  (domain) => {
    expect(domainsOf(`sidecar~10.9.9.9~a.b~${domain}`)).toEqual(names(reviews, "10.96.0.1"));
  },
);

test("a service that is called as the caller's domain is has names, too", () => {
  expect(domainsOf(`sidecar~10.9.9.9~a.b~${reviews}`)).toEqual(
    names(
      "reviews",
      "reviews.default",
      "reviews.default.svc",
      "reviews.default.svc.cluster",
      reviews,
      "10.96.0.1",
    ),
  );
});

test("an address of IPv6 stands in brackets", () => {
  const service = aService("reviews", { addresses: ["fd00::1"], ports: [httpPort] });
  const [host] = new Answers({ services: [service] }).hosts("80");
  expect(host?.domains.slice(-2)).toEqual(["[fd00::1]:80", "[fd00::1]"]);
});

test("a domain belongs to one service: two would make Envoy refuse all routes", () => {
  const services = ["a", "b"].map((name) => aService(name, { addresses: ["10.96.0.1"], ports: [httpPort] }));
  const [a, b] = new Answers({ services }).hosts("80");
  expect(a?.domains).toContain("10.96.0.1");
  expect(b?.domains).not.toContain("10.96.0.1");
});

test("hidden services are hidden", () => {
  const services = [
    aService("a", { exportedTo: ["other"], ports: [httpPort] }),
    aService("b", { exportedTo: ["default"], ports: [httpPort] }),
    aService("c", { exportedTo: ["*"], ports: [httpPort] }),
  ];
  const seen = (namespace: string) =>
    new Answers({ services }).hosts("80", sidecar("10.9.9.9", namespace)).map(({ name }) => name[0]);
  expect(seen("default")).toEqual(["b", "c"]);
  expect(seen("other")).toEqual(["a", "c"]);
});

test("a forward proxy's requests name the port, which only 80 may do without", () => {
  const services = [
    aService("a", { addresses: [], ports: [httpPort, { ...httpPort, port: 81, name: "http-b" }] }),
  ];
  const hosts = new Answers({ services }).hosts("http_proxy", "sidecar~10.9.9.9~a.b~none");
  const host = "a.default.svc.cluster.local";
  expect(hosts.map(({ domains }) => domains)).toEqual([[`${host}:80`, host], [`${host}:81`]]);
});

test.each(["82", "http", "", "-80", "80x", "__proto__"])("0.2 has nothing for routes called %j", (name) => {
  expect(
    new Answers(scene).discovery.routes(name, { type: "sidecar", address: "", id: "", domain: "" }),
  ).toBeNull();
});
