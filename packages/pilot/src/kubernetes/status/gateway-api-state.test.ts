import { ModelBuilder, parseObject } from "@keelson/model";
import { expect, test } from "vitest";
import { GatewayApiState } from "./gateway-api-state.ts";

const apiVersion = "gateway.networking.k8s.io/v1";
const domain = "cluster.local";

const gateway = (spec: object): object => ({
  apiVersion,
  kind: "Gateway",
  metadata: { name: "edge", namespace: "default" },
  spec: { gatewayClassName: "istio", ...spec },
});
const http = { name: "http", port: 80, protocol: "HTTP" };

const route = (spec: object, namespace = "default"): object => ({
  apiVersion,
  kind: "HTTPRoute",
  metadata: { name: "web", namespace },
  spec: { parentRefs: [{ name: "edge", namespace: "default" }], ...spec },
});

const service = (name: string, namespace = "default"): object => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name, namespace },
  spec: { clusterIP: "10.0.0.1", ports: [{ name: "http", port: 80 }] },
});

const to = (...backendRefs: readonly object[]) => ({ rules: [{ backendRefs }] });

/** What the program's pipeline would say of these objects. */
function stateOf(...written: readonly object[]): GatewayApiState {
  const parsed = written.map((one) => parseObject(one, { locate: () => ({ file: "test" }) }));
  const objects = parsed.flatMap(({ object }) => object ?? []);
  expect(objects).toHaveLength(written.length);
  const { model, problems } = new ModelBuilder(domain).build(objects);
  return new GatewayApiState({ objects, model, problems }, domain);
}

const short = (verdicts: readonly { type: string; status: string; reason: string }[] = []): string[] =>
  verdicts.map(({ type, status, reason }) => `${type} ${status} ${reason}`);

const ofRoute = (state: GatewayApiState, name = "default/web"): string[] =>
  short(state.route(name)?.[0]?.verdicts);

const good = "Accepted True Accepted";
const resolved = "ResolvedRefs True ResolvedRefs";

test("a route that is taken, with a backend that is there", () => {
  const web = { name: "web", port: 80 };
  const state = stateOf(gateway({ listeners: [http] }), route(to(web)), service("web"));
  expect(ofRoute(state)).toEqual([good, resolved]);
  expect(state.gateway("default/edge")?.listeners[0]?.attachedRoutes).toBe(1);
});

test.each([
  ["of another namespace", route({}, "other"), "other/web", "NotAllowedByListeners"],
  ["of another host", route({ hostnames: ["b.test"] }), "default/web", "NoMatchingListenerHostname"],
  [
    "of another listener",
    route({ parentRefs: [{ name: "edge", sectionName: "https" }] }),
    "default/web",
    "NoMatchingParent",
  ],
])("a route %s is not", (_, object, name, reason) => {
  const state = stateOf(gateway({ listeners: [{ ...http, hostname: "a.test" }] }), object);
  expect(ofRoute(state, name)[0]).toBe(`Accepted False ${reason}`);
  expect(state.gateway("default/edge")?.listeners[0]?.attachedRoutes).toBe(0);
});

test.each([
  ["that is not there", to({ name: "web", port: 80 }), "BackendNotFound"],
  ["of another kind", to({ group: "example.org", kind: "Bucket", name: "web" }), "InvalidKind"],
  ["of another namespace", to({ name: "web", namespace: "other", port: 80 }), "RefNotPermitted"],
])("a backend %s is named", (_, spec, reason) => {
  const state = stateOf(gateway({ listeners: [http] }), route(spec), service("web", "other"));
  expect(ofRoute(state)).toEqual([good, `ResolvedRefs False ${reason}`]);
});

test("what is of another class, and parents that nobody knows, are left to others", () => {
  const others = stateOf(gateway({ gatewayClassName: "example", listeners: [http] }), route({}));
  expect(others.gateway("default/edge")).toBeUndefined();
  expect(others.route("default/web")).toEqual([]);
  expect(stateOf(route({})).route("default/web")).toEqual([]);
  expect(stateOf(route({})).route("default/other")).toBeUndefined();
});

test("a gateway without a listener that is served is not accepted", () => {
  const state = stateOf(gateway({ listeners: [{ ...http, protocol: "UDP" }] }));
  const { verdicts, listeners } = state.gateway("default/edge") ?? {};
  expect(short(verdicts)[0]).toBe("Accepted False ListenersNotValid");
  expect(short(listeners?.[0]?.verdicts)).toEqual([
    "Accepted False UnsupportedProtocol",
    "Conflicted False NoConflicts",
    "Programmed False Invalid",
    resolved,
  ]);
});

test("a gateway is programmed once a Service carries its ports: the one that it names, else its own", () => {
  const programmed = (...objects: readonly object[]): string | undefined =>
    short(stateOf(...objects).gateway("default/edge")?.verdicts)[1];
  const named = { listeners: [http], addresses: [{ type: "Hostname", value: "ingress" }] };
  expect(programmed(gateway(named))).toBe("Programmed False AddressNotAssigned");
  expect(programmed(gateway(named), service("ingress"))).toBe("Programmed True Programmed");
  expect(programmed(gateway({ listeners: [http] }), service("edge-istio"))).toBe(
    "Programmed True Programmed",
  );
  const address = { listeners: [http], addresses: [{ type: "IPAddress", value: "192.0.2.1" }] };
  expect(programmed(gateway(address))).toBe("Programmed False UnsupportedAddress");
  expect(programmed(gateway({ ...named, listeners: [{ ...http, port: 81 }] }), service("ingress"))).toBe(
    "Programmed False AddressNotAssigned",
  );
});
