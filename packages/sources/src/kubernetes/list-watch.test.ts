import type { ServerResponse } from "node:http";
import { expect, onTestFinished, test, vi } from "vitest";
import { ApiServer } from "./api-server.ts";
import type { Collection, RawObject } from "./collection.ts";
import { ListWatch, type ListWatchOptions } from "./list-watch.ts";
import { refuse, TestApi } from "./testing/test-api.ts";

const patience = { timeout: 20_000, interval: 5 };
const timing = { backoffMs: 5, maximumBackoffMs: 20, absentMs: 20 };
const rules = "/apis/example.org/v1/rules";
const oldRules = "/apis/example.org/v1alpha1/rules";
const collectionOf = (version: string): Collection => ({ group: "example.org", version, plural: "rules" });

/** What a list-watch told, and what results from it. */
class Told {
  readonly names = new Set<string>();
  readonly said: string[] = [];
  lists = 0;
  private listed = new Set<string>();

  beginList(): void {
    this.listed = new Set();
  }
  page(_: Collection, items: readonly RawObject[]): void {
    for (const { metadata } of items) this.listed.add(metadata.name);
  }
  endList(): void {
    this.lists++;
    this.names.clear();
    for (const name of this.listed) this.names.add(name);
  }
  set(_: Collection, { metadata }: RawObject): void {
    this.said.push(`set ${metadata.name}`);
    this.names.add(metadata.name);
  }
  remove({ metadata }: RawObject): void {
    this.said.push(`remove ${metadata.name}`);
    this.names.delete(metadata.name);
  }
  clear(): void {
    this.names.clear();
  }
}

function follow(api: TestApi, options: Partial<ListWatchOptions> = {}) {
  const told = new Told();
  const stop = new AbortController();
  const conditions: string[] = [];
  const listWatch = new ListWatch({
    api: new ApiServer(api.config),
    collections: [collectionOf("v1")],
    namespaced: true,
    namespace: "",
    sink: told,
    signal: stop.signal,
    timing,
    onCondition: () =>
      conditions.push([listWatch.state, ...listWatch.refusals, listWatch.trouble].join(" | ")),
    ...options,
  });
  const running = listWatch.run();
  onTestFinished(async () => {
    stop.abort();
    await running;
  });
  const has = (...names: string[]): Promise<unknown> =>
    vi.waitUntil(
      () => told.names.size === names.length && names.every((name) => told.names.has(name)),
      patience,
    );
  return { told, listWatch, conditions, has };
}

test("a collection is listed page by page, and its changes are followed", async () => {
  const api = await TestApi.start(rules);
  for (const name of ["a", "b", "c", "d", "e"]) api.put(rules, name);
  const { told, has, listWatch } = follow(api);
  await has("a", "b", "c", "d", "e");
  expect(api.lists(rules).map(({ searchParams }) => searchParams.has("continue"))).toEqual([
    false,
    true,
    true,
  ]);
  expect(listWatch.state).toBe("synced");
  await vi.waitUntil(() => api.watching(rules) === 1, patience);
  api.put(rules, "f");
  api.remove(rules, "a");
  await has("b", "c", "d", "e", "f");
  expect(told.lists).toBe(1);
});

test("only one namespace is asked for if only that one is read", async () => {
  const path = "/apis/example.org/v1/namespaces/shop/rules";
  const api = await TestApi.start(path);
  api.put(path, "a");
  await follow(api, { namespace: "shop" }).has("a");
});

test("a watch that is cut goes on where it was, and loses nothing", async () => {
  const api = await TestApi.start(rules);
  api.put(rules, "a");
  const { told, has } = follow(api);
  await has("a");
  for (const name of ["b", "c", "d"]) {
    await vi.waitUntil(() => api.watching(rules) === 1, patience);
    api.put(rules, `${name}1`);
    await vi.waitUntil(() => told.names.has(`${name}1`), patience);
    api.cut(rules, '{"type":"ADDED","object":{"metadata":{"na');
    api.put(rules, `${name}2`);
    await vi.waitUntil(() => told.names.has(`${name}2`), patience);
  }
  expect(told.lists).toBe(1);
  expect(told.said).toEqual(["b1", "b2", "c1", "c2", "d1", "d2"].map((name) => `set ${name}`));
});

test("a bookmark moves the place from which a cut watch goes on", async () => {
  const api = await TestApi.start(rules);
  api.put(rules, "a");
  const { told, has } = follow(api);
  await has("a");
  await vi.waitUntil(() => api.watching(rules) === 1, patience);
  api.bookmark(rules);
  api.bookmark(rules);
  api.cut(rules, " ");
  await vi.waitUntil(() => api.requests.at(-1)?.searchParams.get("resourceVersion") === "103", patience);
  expect(told.lists).toBe(1);
});

test("when the server has forgotten the place, everything is listed again", async () => {
  const api = await TestApi.start(rules);
  for (const name of ["a", "b", "c"]) api.put(rules, name);
  const { told, has, conditions } = follow(api);
  await has("a", "b", "c");
  await vi.waitUntil(() => api.watching(rules) === 1, patience);
  api.next(
    (url) => url.searchParams.has("watch"),
    (response) => refuse(response, 410, "Gone"),
  );
  api.cut(rules);
  await vi.waitUntil(() => told.lists === 2 && api.watching(rules) === 1, patience);
  api.next(
    (url) => url.searchParams.has("watch"),
    (response) => {
      api.remove(rules, "b");
      api.put(rules, "d");
      api.forget();
      response.destroy();
    },
  );
  api.cut(rules);
  await has("a", "c", "d");
  // That is no trouble to be told.
  expect(conditions.filter((text) => text.includes("old") || text.includes("Gone"))).toEqual([]);
});

test("a list whose moment is forgotten between two pages begins anew", async () => {
  const api = await TestApi.start(rules);
  for (const name of ["a", "b", "c"]) api.put(rules, name);
  api.next(
    (url) => url.searchParams.has("continue"),
    (response) => {
      api.remove(rules, "a");
      refuse(response, 410, "The provided continue parameter is too old");
    },
  );
  const { told, has } = follow(api);
  await has("b", "c");
  expect(told.lists).toBe(1);
});

test.each([
  ["no JSON", "{\n"],
  ["no event", '{"type":"ADDED"}\n'],
  ["an unknown event", '{"type":"RENAMED","object":{"metadata":{"name":"x"}}}\n'],
  ["an error of the server", '{"type":"ERROR","object":{"code":500,"message":"etcd is lost"}}\n'],
])("a watch that says %s is begun again", async (_, line) => {
  const api = await TestApi.start(rules);
  api.put(rules, "a");
  const { has } = follow(api);
  await has("a");
  await vi.waitUntil(() => api.watching(rules) === 1, patience);
  const before = api.requests.length;
  api.say(rules, line);
  await vi.waitUntil(() => api.requests.length > before, patience);
  api.put(rules, "b");
  await has("a", "b");
});

test("a server that fails is asked again and again; what was read stays, and the trouble is told", async () => {
  const api = await TestApi.start(rules);
  api.put(rules, "a");
  const { told, has, conditions, listWatch } = follow(api);
  await has("a");
  await vi.waitUntil(() => api.watching(rules) === 1, patience);
  api.next(
    () => true,
    (response) => refuse(response, 503, "etcd is lost"),
    8,
  );
  api.cut(rules);
  await vi.waitUntil(() => listWatch.trouble !== "", patience);
  expect([...told.names]).toEqual(["a"]);
  api.put(rules, "b");
  await has("a", "b");
  await vi.waitUntil(() => listWatch.trouble === "", patience);
  expect(conditions).toContain("synced | 503: etcd is lost");
});

const askForLater =
  (seconds: string) =>
  (response: ServerResponse): void => {
    response.setHeader("retry-after", seconds);
    refuse(response, 429, "storage is (re)initializing");
  };

test("Retry-After is obeyed, by lists and watches; that is no trouble", async () => {
  const api = await TestApi.start(rules);
  api.put(rules, "a");
  api.next(() => true, askForLater("1"));
  const begin = performance.now();
  const { has, conditions } = follow(api);
  await has("a");
  expect(performance.now() - begin).toBeGreaterThan(950);
  await vi.waitUntil(() => api.watching(rules) === 1, patience);
  api.next(({ searchParams }) => searchParams.has("watch"), askForLater("0.01"), 3);
  api.cut(rules);
  api.put(rules, "b");
  await has("a", "b");
  expect(conditions.filter((text) => text.includes("429"))).toEqual([]);
});

test("a server that asks for long to be left alone is trouble", async () => {
  const api = await TestApi.start(rules);
  api.put(rules, "a");
  api.next(() => true, askForLater("0.01"), 8);
  const { has, conditions } = follow(api, { timing: { ...timing, patienceMs: 1 } });
  await has("a");
  expect(conditions).toEqual(["waiting | 429: storage is (re)initializing", "synced | "]);
});

test("a kind that is not served is looked for until it is, and is gone when it is no more", async () => {
  const api = await TestApi.start();
  const { told, has, listWatch, conditions } = follow(api);
  await vi.waitUntil(() => listWatch.state === "absent", patience);
  await vi.waitUntil(() => api.requests.length > 2, patience);
  api.serve(rules);
  api.put(rules, "a");
  await has("a");
  api.unserve(rules);
  await vi.waitUntil(() => told.names.size === 0, patience);
  expect(conditions).toEqual(["absent | ", "synced | ", "absent | "]);
});

const isList = (url: URL): boolean => url.pathname === rules && !url.searchParams.has("watch");

test("what may not be read is named once; an older API that may be read takes its place", async () => {
  const api = await TestApi.start(rules, oldRules);
  api.put(oldRules, "a");
  api.next(isList, (response) => refuse(response, 403, "rules is forbidden"), 99);
  const { has, conditions } = follow(api, { collections: [collectionOf("v1"), collectionOf("v1alpha1")] });
  await has("a");
  expect(conditions).toEqual(["synced | may not list rules.example.org (403: rules is forbidden) | "]);
});

test("a kind that may not be read at all is asked for now and then, and told once", async () => {
  const api = await TestApi.start(rules);
  api.put(rules, "a");
  api.next(isList, (response) => refuse(response, 403, "no"), 3);
  const { has, conditions } = follow(api);
  await has("a");
  expect(conditions).toEqual(["denied | may not list rules.example.org (403: no) | ", "synced | "]);
});

test("a refusal where there is nothing to be read is none", async () => {
  const api = await TestApi.start();
  api.next(isList, (response) => refuse(response, 403, "no"), 99);
  const { listWatch, conditions } = follow(api);
  await vi.waitUntil(() => listWatch.state === "absent", patience);
  expect(conditions).toEqual(["absent | "]);
});

test("who may list and not watch lists now and then", async () => {
  const api = await TestApi.start(rules);
  api.put(rules, "a");
  api.next(
    ({ searchParams }) => searchParams.has("watch"),
    (response) => refuse(response, 403, "no"),
    3,
  );
  const { told, has, conditions } = follow(api);
  await has("a");
  api.put(rules, "b");
  await has("a", "b");
  await vi.waitUntil(() => told.lists >= 3 && api.watching(rules) === 1, patience);
  const refusal = "may not watch rules.example.org (403: no)";
  expect(conditions.slice(0, 2)).toEqual(["synced | ", `synced | ${refusal} | `]);
});

test("a token that is not accepted is told by what was asked for", async () => {
  const api = await TestApi.start(rules);
  api.next(
    () => true,
    (response) => refuse(response, 401, "Unauthorized"),
    2,
  );
  const { listWatch, conditions } = follow(api);
  await vi.waitUntil(() => listWatch.state === "synced", patience);
  expect(conditions[0]).toBe("waiting | may not list rules.example.org (401: Unauthorized)");
});
