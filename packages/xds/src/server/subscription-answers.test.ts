import { describe, expect, test } from "vitest";
import { named, resource } from "../testing/resources.ts";
import { a, all, answered, b, next, nothing } from "../testing/subscriptions.ts";
import type { Subscription } from "./subscription.ts";

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
    made.acked(["a", "b"]);
    next(made, worse);
    made.nacked(rejection, ["a"]);
    return made;
  }

  test("is kept, and not sent again", () => {
    const made = withRejected();
    expect(made.rejection).toBe(rejection);
    expect(next(made, worse)).toEqual(nothing);
  });

  test("is sent again when it is asked for again", () => {
    const made = withRejected();
    made.subscribe(["a"]);
    expect(next(made, worse)).toEqual({ ...nothing, added: [worse.get("a")] });
  });

  test("is over when its replacement is acked, not when something else is", () => {
    const made = withRejected();
    made.acked(["b"]);
    expect(made.rejection).toBe(rejection);
    const better = named([resource("a", "better"), b]);
    expect(next(made, better)).toEqual({ ...nothing, added: [better.get("a")] });
    expect(made.rejection).toBe(rejection);
    made.acked(["a"]);
    expect(made.rejection).toBeUndefined();
  });

  test("is over when the version before it is back, and acked", () => {
    const made = withRejected();
    expect(next(made, all)).toEqual({ ...nothing, added: [a] });
    made.acked(["a"]);
    expect(made.rejection).toBeUndefined();
  });

  test("that was removed is told as gone: the client may have taken a part of what it rejected", () => {
    const made = answered({ subscribe: ["*"] }, named([a]));
    made.nacked(rejection, ["a"]);
    expect(next(made, named([]))).toEqual({ ...nothing, gone: ["a"] });
    made.acked(["a"]);
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
    made.acked(["b"]);
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
