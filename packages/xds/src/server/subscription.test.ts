import { describe, expect, test } from "vitest";
import { named, resource, versionOf } from "../testing/resources.ts";
import { Subscription } from "./subscription.ts";

const a = resource("a");
const b = resource("b");
const all = named([a, b]);
const nothing = { added: [], missing: [], gone: [] };

interface First {
  subscribe?: string[];
  unsubscribe?: string[];
  holds?: Record<string, string>;
}

function subscription({ subscribe = [], unsubscribe = [], holds = {} }: First): Subscription {
  const made = new Subscription();
  made.open({ subscribe, unsubscribe, initialVersions: holds });
  return made;
}

/** A subscription whose first answer is out of the way. */
function answered(first: First, resources = all): Subscription {
  const made = subscription(first);
  made.advance(resources);
  return made;
}

describe("what a first request wants", () => {
  test("'*' is everything", () => {
    expect(subscription({ subscribe: ["*"] }).advance(all)).toEqual({ ...nothing, added: [a, b] });
  });

  test("no name at all is everything, too", () => {
    expect(subscription({}).advance(all)).toEqual({ ...nothing, added: [a, b] });
  });

  test("names are these and no others", () => {
    expect(subscription({ subscribe: ["b"] }).advance(all)).toEqual({ ...nothing, added: [b] });
  });

  test("names only to unsubscribe from are nothing", () => {
    expect(subscription({ unsubscribe: ["b"] }).advance(all)).toEqual(nothing);
  });

  test("'*' and a name are everything, and the name's state even if it does not exist", () => {
    const changes = subscription({ subscribe: ["*", "lost", "a"] }).advance(all);
    expect(changes).toEqual({ added: [a, b], missing: ["lost"], gone: [] });
  });
});

describe("what is held from an earlier stream", () => {
  test("is not sent again while its version is the same", () => {
    const resumed = subscription({ subscribe: ["*"], holds: { a: a.version, b: "old" } });
    expect(resumed.advance(all)).toEqual({ ...nothing, added: [b] });
  });

  test("is not sent again if it is asked for by name in the same request", () => {
    const resumed = subscription({ subscribe: ["a", "b"], holds: { a: a.version } });
    expect(resumed.advance(all)).toEqual({ ...nothing, added: [b] });
  });

  test("and is gone is told, but not in the first answer", () => {
    const resumed = subscription({ subscribe: ["*"], holds: { a: a.version, old: "1" } });
    expect(resumed.advance(all)).toEqual({ ...nothing, added: [b] });
    expect(resumed.advance(all)).toEqual({ ...nothing, gone: ["old"] });
    expect(resumed.advance(all)).toEqual(nothing);
  });

  test("and is not wanted any more does not matter", () => {
    const resumed = subscription({ subscribe: ["a"], holds: { a: a.version, b: "old", old: "1" } });
    expect(resumed.advance(all)).toEqual(nothing);
    expect(resumed.advance(all)).toEqual(nothing);
    resumed.subscribe(["b"]);
    expect(resumed.advance(all)).toEqual({ ...nothing, added: [b] });
  });
});

describe("subscribing", () => {
  test("to more names sends these alone", () => {
    const made = answered({ subscribe: ["a"] });
    made.subscribe(["b"]);
    expect(made.advance(all)).toEqual({ ...nothing, added: [b] });
  });

  test("to a name again sends it again, however it was sent before", () => {
    for (const first of [{ subscribe: ["a"] }, { subscribe: ["*"] }, {}]) {
      const made = answered(first);
      made.subscribe(["a"]);
      expect(made.advance(all)).toEqual({ ...nothing, added: [a] });
      expect(made.advance(all)).toEqual(nothing);
    }
  });

  test("to '*' again sends nothing again", () => {
    const made = answered({ subscribe: ["*"] });
    made.subscribe(["*"]);
    expect(made.advance(all)).toEqual(nothing);
  });

  test("to a name that does not exist says so once, and once more when asked again", () => {
    const made = answered({ subscribe: ["a"] });
    made.subscribe(["lost"]);
    expect(made.advance(all)).toEqual({ ...nothing, missing: ["lost"] });
    expect(made.advance(all)).toEqual(nothing);
    made.subscribe(["lost"]);
    expect(made.advance(all)).toEqual({ ...nothing, missing: ["lost"] });
  });

  test("to a name that does not exist yet sends it when it does, and says when it does not any more", () => {
    const made = answered({ subscribe: ["later"] });
    const later = resource("later");
    expect(made.advance(named([a, later]))).toEqual({ ...nothing, added: [later] });
    expect(made.advance(all)).toEqual({ ...nothing, gone: ["later"] });
    expect(made.advance(named([a, later]))).toEqual({ ...nothing, added: [later] });
  });

  test("by name to what the wildcard holds and what is gone tells the name once", () => {
    const made = answered({ subscribe: ["*"] });
    made.subscribe(["a"]);
    expect(made.advance(named([b]))).toEqual({ ...nothing, missing: ["a"] });
    expect(made.advance(named([b]))).toEqual(nothing);
  });
});

describe("unsubscribing", () => {
  test("from a name says nothing, and its changes do not matter any more", () => {
    const made = answered({ subscribe: ["a", "b"] });
    made.unsubscribe(["a"]);
    expect(made.advance(named([resource("a", "new"), b]))).toEqual(nothing);
    expect(made.advance(named([b]))).toEqual(nothing);
  });

  test("from the last name is not a wildcard", () => {
    const made = answered({ subscribe: ["a"] });
    made.unsubscribe(["a"]);
    expect(made.advance(named([a, b, resource("c")]))).toEqual(nothing);
  });

  test("and subscribing again sends the name again", () => {
    const made = answered({ subscribe: ["a"] });
    made.unsubscribe(["a"]);
    made.subscribe(["a"]);
    expect(made.advance(all)).toEqual({ ...nothing, added: [a] });
  });

  test("from a name beside the wildcard tells its state: the client cannot know if the wildcard includes it", () => {
    const made = answered({ subscribe: ["*", "a", "lost"] });
    made.unsubscribe(["a", "lost"]);
    expect(made.advance(all)).toEqual({ added: [a], missing: ["lost"], gone: [] });
    expect(made.advance(all)).toEqual(nothing);
  });

  test("from a name that was never asked for is ignored", () => {
    const made = answered({ subscribe: ["*"] });
    made.unsubscribe(["a", "never"]);
    expect(made.advance(all)).toEqual(nothing);
  });

  test("from '*' keeps the names asked for one by one", () => {
    const made = answered({});
    made.subscribe(["a"]);
    made.advance(all);
    made.unsubscribe(["*"]);
    const newer = named([resource("a", "new"), resource("b", "new"), resource("c")]);
    expect(made.advance(newer)).toEqual({ ...nothing, added: [newer.get("a")] });
  });

  test("from '*' and a name at once says nothing of that name", () => {
    const made = answered({ subscribe: ["*", "a", "b"] });
    made.unsubscribe(["a", "*"]);
    expect(made.advance(all)).toEqual(nothing);
  });

  test("from '*' and subscribing to it later sends all again", () => {
    const made = answered({ subscribe: ["*"] });
    made.unsubscribe(["*"]);
    expect(made.advance(all)).toEqual(nothing);
    made.subscribe(["*"]);
    expect(made.advance(all)).toEqual({ ...nothing, added: [a, b] });
  });
});

describe("a rejected response", () => {
  const rejection = { version: "2", message: "no memory", at: new Date() };
  const worse = named([resource("a", "worse"), b]);

  /** Holds a and b, and rejected a newer version of a. */
  function withRejected(): Subscription {
    const made = answered({ subscribe: ["*"] });
    made.acked("1", ["a", "b"]);
    made.advance(worse);
    made.nacked(rejection, ["a"]);
    return made;
  }

  test("is kept, and not sent again", () => {
    const made = withRejected();
    expect(made.rejection).toBe(rejection);
    expect(made.ackedVersion).toBe("1");
    expect(made.advance(worse)).toEqual(nothing);
  });

  test("is sent again when it is asked for again", () => {
    const made = withRejected();
    made.subscribe(["a"]);
    expect(made.advance(worse)).toEqual({ ...nothing, added: [worse.get("a")] });
  });

  test("is over when its replacement is acked, not when something else is", () => {
    const made = withRejected();
    made.acked("3", ["b"]);
    expect(made.ackedVersion).toBe("3");
    expect(made.rejection).toBe(rejection);
    const better = named([resource("a", "better"), b]);
    expect(made.advance(better)).toEqual({ ...nothing, added: [better.get("a")] });
    expect(made.rejection).toBe(rejection);
    made.acked("4", ["a"]);
    expect(made.rejection).toBeUndefined();
  });

  test("is over when the version before it is back, and acked", () => {
    const made = withRejected();
    expect(made.advance(all)).toEqual({ ...nothing, added: [a] });
    made.acked("3", ["a"]);
    expect(made.rejection).toBeUndefined();
  });

  test("that was removed is told as gone: the client may have taken a part of what it rejected", () => {
    const made = answered({ subscribe: ["*"] }, named([a]));
    made.nacked(rejection, ["a"]);
    expect(made.advance(named([]))).toEqual({ ...nothing, gone: ["a"] });
    made.acked("3", ["a"]);
    expect(made.rejection).toBeUndefined();
  });

  test("is over when nobody wants it any more", () => {
    const byName = answered({ subscribe: ["a", "b"] });
    byName.nacked(rejection, ["a", "b"]);
    byName.unsubscribe(["a"]);
    expect(byName.rejection).toBe(rejection);
    byName.unsubscribe(["b"]);
    expect(byName.rejection).toBeUndefined();
  });

  test("of names that were unsubscribed from meanwhile is over with the next ack", () => {
    const made = answered({ subscribe: ["a", "b"] });
    made.unsubscribe(["a"]);
    made.nacked(rejection, ["a"]);
    expect(made.rejection).toBe(rejection);
    made.acked("3", ["b"]);
    expect(made.rejection).toBeUndefined();
  });

  test("that removed something is not repeated", () => {
    const made = answered({ subscribe: ["*"] });
    expect(made.advance(named([a]))).toEqual({ ...nothing, gone: ["b"] });
    made.nacked(rejection, ["b"]);
    expect(made.advance(named([a]))).toEqual(nothing);
    expect(made.advance(all)).toEqual({ ...nothing, added: [b] });
  });
});

test("counts the names it keeps", () => {
  const made = answered({ subscribe: ["*", "a", "b"] });
  expect(made.size).toBe(2);
  made.unsubscribe(["a", "b"]);
  made.subscribe(["c"]);
  made.unsubscribe(["c"]);
  expect(made.size).toBe(3);
  made.advance(all);
  expect(made.size).toBe(0);
});

test("versions follow from bodies alone", () => {
  expect(resource("a", "same").version).toBe(versionOf("same"));
});
