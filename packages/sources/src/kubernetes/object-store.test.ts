import * as fc from "fast-check";
import { expect, test } from "vitest";
import { ObjectStore } from "./object-store.ts";
import { project } from "./projection.ts";
import { pods, rawPod } from "./testing/raw-objects.ts";

function newStore() {
  const changes = { count: 0 };
  const store = new ObjectStore(
    (collection, item) => project({ kind: "Pod", revision: undefined }, collection, item),
    () => changes.count++,
  );
  const list = (...items: ReturnType<typeof rawPod>[]): void => {
    store.beginList();
    store.page(pods, items);
    store.endList();
  };
  const names = (): string[] => store.objects.map(({ metadata }) => metadata.name);
  return { store, changes, list, names };
}

test("what nobody reads may change as it likes", () => {
  const { store, changes, list } = newStore();
  list(rawPod());
  const [before] = store.objects;
  expect(changes.count).toBe(1);
  store.set(pods, rawPod({ resourceVersion: "2", annotations: { a: "b" }, generation: 4 }));
  store.set(pods, rawPod({ resourceVersion: "3" }, { containerStatuses: [], hostIP: "192.0.2.9" }));
  list(rawPod({ resourceVersion: "4", managedFields: [] }));
  expect(changes.count).toBe(1);
  expect(store.objects[0]).toBe(before);
  store.set(pods, rawPod({ resourceVersion: "5", labels: { app: "ratings" } }));
  expect(changes.count).toBe(2);
  expect(store.objects[0]?.metadata.labels).toEqual({ app: "ratings" });
});

test("a new list tells only what differs, and objects keep their places", () => {
  const { changes, list, names, store } = newStore();
  list(rawPod({ name: "a" }), rawPod({ name: "b" }), rawPod({ name: "c" }));
  list(rawPod({ name: "c" }), rawPod({ name: "b" }), rawPod({ name: "a" }));
  expect(changes.count).toBe(1);
  const [, , c] = store.objects;
  list(rawPod({ name: "c" }), rawPod({ name: "a" }), rawPod({ name: "d" }));
  expect(changes.count).toBe(2);
  expect(names()).toEqual(["a", "c", "d"]);
  expect(store.objects[1]).toBe(c);
});

test("a list that was given up changes nothing", () => {
  const { store, changes, list, names } = newStore();
  list(rawPod({ name: "a" }));
  store.beginList();
  store.page(pods, [rawPod({ name: "b" })]);
  list(rawPod({ name: "a" }), rawPod({ name: "c" }));
  expect(names()).toEqual(["a", "c"]);
  expect(changes.count).toBe(2);
});

test("an object in error is told, and is gone when it is removed", () => {
  const { store, changes, names } = newStore();
  store.set(pods, rawPod({ labels: { app: 7 } }));
  expect(names()).toEqual([]);
  expect(store.problems).toMatchObject([{ field: "metadata.labels.app", object: "Pod default/reviews-v1" }]);
  store.remove(rawPod());
  expect(store.problems).toEqual([]);
  store.remove(rawPod());
  expect(changes.count).toBe(2);
});

test("after any events, the objects are those of a store that read them all at once, in the order in which they came", () => {
  const event = fc.record({
    name: fc.constantFrom("a", "b", "c", "d", "e"),
    version: fc.constantFrom(undefined, "v1", "v2"),
    wrong: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(event, { maxLength: 30 }), (events) => {
      const { store } = newStore();
      const raw = new Map<string, ReturnType<typeof rawPod>>();
      events.forEach(({ name, version, wrong }, i) => {
        const pod = rawPod({ name, resourceVersion: `${i}`, labels: { version: wrong ? 7 : version } });
        if (version === undefined) raw.delete(name);
        else raw.set(name, pod);
        if (version === undefined) store.remove(pod);
        else store.set(pods, pod);
        const fresh = newStore();
        fresh.list(...raw.values());
        expect(store.objects).toEqual(fresh.store.objects);
        expect(store.problems).toEqual(fresh.store.problems);
      });
    }),
  );
});
