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

const reasonsOf = (staged: ReturnType<PolicyStore["stage"]>): readonly (readonly [string, string])[] => [
  ...staged.rejected,
];

test("a service that refers to an unknown set is left out with both names, and the others are taken", () => {
  const store = storeWith(endpointSetsUpdate({ one: [] }));
  const staged = store.stage(
    servicesUpdate([service("a", { to: { nowhere: 1 } }), service("b", { to: { one: 1 } })]),
  );
  expect(reasonsOf(staged)).toEqual([["a", expect.stringMatching(/Service "a".*EndpointSet "nowhere"/)]]);
  expect([...staged.changes.keys()]).toEqual(["b"]);
  expect(staged.taken.added.map(({ name }) => name)).toEqual(["b"]);
  staged.commit();
  expect(store.versions(policyTypeUrls.service)).toEqual({ b: "1" });
});

test("a service of which a wrong version came stays as it was", () => {
  const store = storeWith(
    endpointSetsUpdate({ one: [endpoint("10.0.0.1")] }),
    servicesUpdate([service("a", { to: { one: 1 } })]),
  );
  store.stage(servicesUpdate([service("a", { to: { nowhere: 1 } })])).commit();
  const staged = store.stage(endpointSetsUpdate({ one: [] }));
  expect([...staged.changes.keys()]).toEqual(["a"]);
});

test("a set that is still in use is not let go, while others are", () => {
  const store = storeWith(
    endpointSetsUpdate({ one: [], two: [] }),
    servicesUpdate([service("a", { to: { one: 1 } })]),
  );
  const staged = store.stage(endpointSetsUpdate({}, ["one", "two"]));
  expect(reasonsOf(staged)).toEqual([["one", expect.stringMatching(/Service "a".*"one"/)]]);
  expect(staged.taken.removed).toEqual(["two"]);
  staged.commit();
  expect(store.versions(policyTypeUrls.endpointSet)).toEqual({ one: "1" });
});

test("endpoints that a service cannot be served with leave it with those it has", () => {
  const wrong = { ...endpoint("10.0.0.2"), address: Uint8Array.of(1, 2, 3) };
  const store = storeWith(
    endpointSetsUpdate({ one: [endpoint("10.0.0.1")], two: [] }),
    servicesUpdate([service("a", { to: { one: 1 } }), service("b", { to: { two: 1 } })]),
  );
  const staged = store.stage(endpointSetsUpdate({ one: [wrong], two: [endpoint("10.0.0.3")] }));
  expect(reasonsOf(staged).map(([name]) => name)).toEqual(["one"]);
  expect([...staged.changes.keys()]).toEqual(["b"]);
});

test("a damaged resource is left out by name", () => {
  const store = new PolicyStore();
  const damaged = { name: "bad", version: "1", body: Uint8Array.of(0xff, 0xff) };
  const update = endpointSetsUpdate({ good: [] });
  const staged = store.stage({ ...update, added: [damaged, ...update.added] });
  expect(reasonsOf(staged)).toEqual([["bad", expect.stringContaining('"bad"')]]);
  staged.commit();
  expect(store.versions(policyTypeUrls.endpointSet)).toEqual({ good: "1" });
});

test("a type that is not of the policy IR is refused", () => {
  expect(() => new PolicyStore().stage({ typeUrl: "x", systemVersion: "1", added: [], removed: [] })).toThrow(
    /^x is not/,
  );
});
