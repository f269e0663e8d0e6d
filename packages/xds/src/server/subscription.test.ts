import { describe, expect, test } from "vitest";
import { named, resource, versionOf } from "../testing/resources.ts";
import { Subscription } from "./subscription.ts";

const a = resource("a");
const b = resource("b");
const all = named([a, b]);
const nothing = { added: [], missing: [], gone: [] };

type Resources = Parameters<Subscription["advance"]>[0];

/** What is to be told now, removals included. */
const next = (made: Subscription, resources: Resources) => made.advance(resources, true);

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
  next(made, resources);
  return made;
}

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
    expect(resumed.advance(all, false)).toEqual({ ...nothing, added: [b] });
    expect(resumed.advance(all, false)).toEqual(nothing);
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

/** Sent a and b; then the wildcard ended and began again, and only then the response was answered. */
function crossed(): Subscription {
  const made = answered({ subscribe: ["*"] });
  made.unsubscribe(["*"]);
  made.subscribe(["*"]);
  expect(made.mayHold(["a", "b"])).toBe(true);
  return made;
}

describe("a response that the client read after it had ended and renewed the subscription", () => {
  test("is sent again, as the client may have read it before", () => {
    expect(next(crossed(), all)).toEqual({ ...nothing, added: [a, b] });
  });

  test("is told as gone, as the client may have read it after", () => {
    expect(next(crossed(), named([b]))).toEqual({ ...nothing, added: [b], gone: ["a"] });
  });

  test("changes nothing if the subscription was not ended, or not renewed", () => {
    const made = answered({ subscribe: ["*"] });
    expect(made.mayHold(["a", "b"])).toBe(false);
    made.unsubscribe(["*"]);
    expect(made.mayHold(["a", "b"])).toBe(false);
    expect(next(made, all)).toEqual(nothing);
  });
});

describe("a rejected response", () => {
  const rejection = { version: "2", message: "no memory", at: new Date() };
  const worse = named([resource("a", "worse"), b]);

  /** Holds a and b, and rejected a newer version of a. */
  function withRejected(): Subscription {
    const made = answered({ subscribe: ["*"] });
    made.acked("1", ["a", "b"]);
    next(made, worse);
    made.nacked(rejection, ["a"]);
    return made;
  }

  test("is kept, and not sent again", () => {
    const made = withRejected();
    expect(made.rejection).toBe(rejection);
    expect(made.ackedVersion).toBe("1");
    expect(next(made, worse)).toEqual(nothing);
  });

  test("is sent again when it is asked for again", () => {
    const made = withRejected();
    made.subscribe(["a"]);
    expect(next(made, worse)).toEqual({ ...nothing, added: [worse.get("a")] });
  });

  test("is over when its replacement is acked, not when something else is", () => {
    const made = withRejected();
    made.acked("3", ["b"]);
    expect(made.ackedVersion).toBe("3");
    expect(made.rejection).toBe(rejection);
    const better = named([resource("a", "better"), b]);
    expect(next(made, better)).toEqual({ ...nothing, added: [better.get("a")] });
    expect(made.rejection).toBe(rejection);
    made.acked("4", ["a"]);
    expect(made.rejection).toBeUndefined();
  });

  test("is over when the version before it is back, and acked", () => {
    const made = withRejected();
    expect(next(made, all)).toEqual({ ...nothing, added: [a] });
    made.acked("3", ["a"]);
    expect(made.rejection).toBeUndefined();
  });

  test("that was removed is told as gone: the client may have taken a part of what it rejected", () => {
    const made = answered({ subscribe: ["*"] }, named([a]));
    made.nacked(rejection, ["a"]);
    expect(next(made, named([]))).toEqual({ ...nothing, gone: ["a"] });
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
    expect(next(made, named([a]))).toEqual({ ...nothing, gone: ["b"] });
    made.nacked(rejection, ["b"]);
    expect(next(made, named([a]))).toEqual(nothing);
    expect(next(made, all)).toEqual({ ...nothing, added: [b] });
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

test("versions follow from bodies alone", () => {
  expect(resource("a", "same").version).toBe(versionOf("same"));
});
