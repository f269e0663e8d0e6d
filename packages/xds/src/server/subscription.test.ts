import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { named, resource } from "../testing/resources.ts";
import { a, all, answered, b, listed, next, nothing, subscription } from "../testing/subscriptions.ts";
import type { Source } from "./changes.ts";
import { Subscription } from "./subscription.ts";

describe("what a first request wants", () => {
  test("'*' is everything", () => {
    expect(next(subscription({ subscribe: ["*"] }), all)).toEqual({ ...nothing, added: [a, b] });
  });

  test("no name at all is everything, too", () => {
    expect(next(subscription({}), all)).toEqual({ ...nothing, added: [a, b] });
  });

  test("names are these and no others", () => {
    expect(next(subscription({ subscribe: ["b"] }), all)).toEqual({ ...nothing, added: [b] });
  });

  test("names only to unsubscribe from are nothing", () => {
    expect(next(subscription({ unsubscribe: ["b"] }), all)).toEqual(nothing);
  });

  test("'*' and a name are everything, and the name's state even if it does not exist", () => {
    const changes = next(subscription({ subscribe: ["*", "lost", "a"] }), all);
    expect(changes).toEqual({ added: [a, b], missing: ["lost"], gone: [] });
  });
});

describe("what is held from an earlier stream", () => {
  test("is not sent again while its version is the same", () => {
    const resumed = subscription({ subscribe: ["*"], holds: { a: a.version, b: "old" } });
    expect(next(resumed, all)).toEqual({ ...nothing, added: [b] });
  });

  test("is not sent again if it is asked for by name in the same request", () => {
    const resumed = subscription({ subscribe: ["a", "b"], holds: { a: a.version } });
    expect(next(resumed, all)).toEqual({ ...nothing, added: [b] });
  });

  test("and is gone is told when removals may be told", () => {
    const resumed = subscription({ subscribe: ["*"], holds: { a: a.version, old: "1" } });
    expect(resumed.advance(listed(all), false)).toEqual({ ...nothing, added: [b] });
    expect(resumed.advance(listed(all), false)).toEqual(nothing);
    expect(next(resumed, all)).toEqual({ ...nothing, gone: ["old"] });
    expect(next(resumed, all)).toEqual(nothing);
  });

  test("and is not wanted any more does not matter", () => {
    const resumed = subscription({ subscribe: ["a"], holds: { a: a.version, b: "old", old: "1" } });
    expect(next(resumed, all)).toEqual(nothing);
    expect(next(resumed, all)).toEqual(nothing);
    resumed.subscribe(["b"]);
    expect(next(resumed, all)).toEqual({ ...nothing, added: [b] });
  });
});

describe("subscribing", () => {
  test("to more names sends these alone", () => {
    const made = answered({ subscribe: ["a"] });
    made.subscribe(["b"]);
    expect(next(made, all)).toEqual({ ...nothing, added: [b] });
  });

  test("to a name again sends it again, however it was sent before", () => {
    for (const first of [{ subscribe: ["a"] }, { subscribe: ["*"] }, {}]) {
      const made = answered(first);
      made.subscribe(["a"]);
      expect(next(made, all)).toEqual({ ...nothing, added: [a] });
      expect(next(made, all)).toEqual(nothing);
    }
  });

  test("to '*' again sends nothing again", () => {
    const made = answered({ subscribe: ["*"] });
    made.subscribe(["*"]);
    expect(next(made, all)).toEqual(nothing);
  });

  test("to a name that does not exist says so once, and once more when asked again", () => {
    const made = answered({ subscribe: ["a"] });
    made.subscribe(["lost"]);
    expect(next(made, all)).toEqual({ ...nothing, missing: ["lost"] });
    expect(next(made, all)).toEqual(nothing);
    made.subscribe(["lost"]);
    expect(next(made, all)).toEqual({ ...nothing, missing: ["lost"] });
  });

  test("to a name that does not exist yet sends it when it does, and says when it does not any more", () => {
    const made = answered({ subscribe: ["later"] });
    const later = resource("later");
    expect(next(made, named([a, later]))).toEqual({ ...nothing, added: [later] });
    expect(next(made, all)).toEqual({ ...nothing, gone: ["later"] });
    expect(next(made, named([a, later]))).toEqual({ ...nothing, added: [later] });
  });

  test("to a name that no list has sends it when a lookup finds it, and says when none does any more", () => {
    const made = answered({ subscribe: ["stray"] });
    const stray = resource("stray");
    const found = (): Source => ({
      resources: named([a]),
      lookup: (name) => (name === "stray" ? stray : undefined),
    });
    expect(made.advance(listed(named([a])), true)).toEqual(nothing);
    expect(made.advance(found(), true)).toEqual({ ...nothing, added: [stray] });
    expect(made.advance(found(), true)).toEqual(nothing);
    expect(next(made, named([b]))).toEqual({ ...nothing, gone: ["stray"] });
    expect(next(made, all)).toEqual(nothing);
    expect(made.advance(found(), true)).toEqual({ ...nothing, added: [stray] });
  });

  test("by name to what the wildcard holds and what is gone tells the name once", () => {
    const made = answered({ subscribe: ["*"] });
    made.subscribe(["a"]);
    expect(next(made, named([b]))).toEqual({ ...nothing, missing: ["a"] });
    expect(next(made, named([b]))).toEqual(nothing);
  });
});

describe("unsubscribing", () => {
  test("from a name says nothing, and its changes do not matter any more", () => {
    const made = answered({ subscribe: ["a", "b"] });
    made.unsubscribe(["a"]);
    expect(next(made, named([resource("a", "new"), b]))).toEqual(nothing);
    expect(next(made, named([b]))).toEqual(nothing);
  });

  test("from the last name is not a wildcard", () => {
    const made = answered({ subscribe: ["a"] });
    made.unsubscribe(["a"]);
    expect(next(made, named([a, b, resource("c")]))).toEqual(nothing);
  });

  test("and subscribing again sends the name again", () => {
    const made = answered({ subscribe: ["a"] });
    made.unsubscribe(["a"]);
    made.subscribe(["a"]);
    expect(next(made, all)).toEqual({ ...nothing, added: [a] });
  });

  test("from a name beside the wildcard tells its state: the client cannot know if the wildcard includes it", () => {
    const made = answered({ subscribe: ["*", "a", "lost"] });
    made.unsubscribe(["a", "lost"]);
    expect(next(made, all)).toEqual({ added: [a], missing: ["lost"], gone: [] });
    expect(next(made, all)).toEqual(nothing);
  });

  test("from a name that was never asked for is ignored", () => {
    const made = answered({ subscribe: ["*"] });
    made.unsubscribe(["a", "never"]);
    expect(next(made, all)).toEqual(nothing);
  });

  test("from '*' keeps the names asked for one by one", () => {
    const made = answered({});
    made.subscribe(["a"]);
    next(made, all);
    made.unsubscribe(["*"]);
    const newer = named([resource("a", "new"), resource("b", "new"), resource("c")]);
    expect(next(made, newer)).toEqual({ ...nothing, added: [newer.get("a")] });
  });

  test("from '*' and a name at once says nothing of that name", () => {
    const made = answered({ subscribe: ["*", "a", "b"] });
    made.unsubscribe(["a", "*"]);
    expect(next(made, all)).toEqual(nothing);
  });

  test("from '*' and subscribing to it later sends all again", () => {
    const made = answered({ subscribe: ["*"] });
    made.unsubscribe(["*"]);
    expect(next(made, all)).toEqual(nothing);
    made.subscribe(["*"]);
    expect(next(made, all)).toEqual({ ...nothing, added: [a, b] });
  });
});

test("counts the names it keeps", () => {
  const made = answered({ subscribe: ["*", "a", "b"] });
  expect(made.size).toBe(2);
  made.unsubscribe(["a", "b"]);
  made.subscribe(["c"]);
  made.unsubscribe(["c"]);
  expect(made.size).toBe(3);
  next(made, all);
  expect(made.size).toBe(0);
});

test("whatever list replaces another, the names of the last one are wanted, and new ones are noticed", () => {
  const lists = fc.array(fc.array(fc.constantFrom("a", "b", "c", "*"), { maxLength: 5 }), { maxLength: 8 });
  fc.assert(
    fc.property(lists, (history) => {
      const made = new Subscription();
      let before = new Set<string>();
      for (const list of history) {
        const now = new Set(list);
        expect(made.replace(list)).toBe(list.some((name) => !before.has(name)));
        expect(new Set(made.wanted)).toEqual(new Set(list.filter((name) => name !== "*")));
        expect(made.isWildcard).toBe(now.has("*"));
        before = now;
      }
    }),
  );
});
