import { policyTypeUrls } from "@keelson/protos";
import { expect, test } from "vitest";
import { endpoint, endpointSetsUpdate, service, servicesUpdate } from "./builders.test-helper.ts";
import { PolicyStore } from "./policy-store.ts";

function storeWith(...updates: Parameters<PolicyStore["stage"]>[0][]): PolicyStore {
  const store = new PolicyStore();
  for (const update of updates) store.stage(update).commit();
  return store;
}

test("a changed endpoint set changes the services that refer to it, and no other", () => {
  const store = storeWith(
    endpointSetsUpdate({ one: [endpoint("10.0.0.1")], two: [endpoint("10.0.0.2")] }),
    servicesUpdate([service("a", { to: { one: 1 } }), service("b", { to: { two: 1 } })]),
  );
  const staged = store.stage(endpointSetsUpdate({ one: [] }));
  expect([...staged.changes.keys()]).toEqual(["a"]);
});

test("a service that no longer refers to a set is not touched by it", () => {
  const store = storeWith(
    endpointSetsUpdate({ one: [], two: [] }),
    servicesUpdate([service("a", { to: { one: 1 } })]),
    servicesUpdate([service("a", { to: { two: 1 } })]),
  );
  expect(store.stage(endpointSetsUpdate({}, ["one"])).changes.size).toBe(0);
});

test("nothing is held before commit", () => {
  const store = new PolicyStore();
  store.stage(endpointSetsUpdate({ one: [] }));
  expect(store.versions(policyTypeUrls.endpointSet)).toEqual({});
});

test("a service that refers to an unknown set is rejected with both names", () => {
  const store = storeWith(endpointSetsUpdate({ one: [] }));
  expect(() => store.stage(servicesUpdate([service("a", { to: { nowhere: 1 } })]))).toThrow(
    /Service "a".*EndpointSet "nowhere"/,
  );
});

test("a set that is still in use is not let go", () => {
  const store = storeWith(
    endpointSetsUpdate({ one: [] }),
    servicesUpdate([service("a", { to: { one: 1 } })]),
  );
  expect(() => store.stage(endpointSetsUpdate({}, ["one"]))).toThrow(/Service "a".*"one"/);
});

test("a damaged resource is rejected by name, and long lists of reasons are cut", () => {
  const store = new PolicyStore();
  const damaged = Array.from({ length: 9 }, (_, i) => ({
    name: `s${i}`,
    version: "1",
    body: Uint8Array.of(0xff, 0xff),
  }));
  const update = { typeUrl: policyTypeUrls.service, systemVersion: "1", added: damaged, removed: [] };
  expect(() => store.stage(update)).toThrow(/"s0".*"s4".*and 4 more/s);
});

test("a type that is not of the policy IR is refused", () => {
  expect(() => new PolicyStore().stage({ typeUrl: "x", systemVersion: "1", added: [], removed: [] })).toThrow(
    /^x is not/,
  );
});
