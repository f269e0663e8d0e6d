import { expect, onTestFinished, test, vi } from "vitest";
import { ConfigMapText } from "./config-map-text.ts";
import { refuse, TestApi } from "./testing/test-api.ts";

const path = "/api/v1/namespaces/istio-system/configmaps";
const patience = { timeout: 20_000, interval: 5 };

function follow(api: TestApi): ConfigMapText {
  const timing = { backoffMs: 5, maximumBackoffMs: 20, absentMs: 20 };
  const place = { namespace: "istio-system", name: "istio", key: "mesh" };
  const followed = new ConfigMapText({ config: api.config, ...place, timing });
  onTestFinished(() => followed.close());
  return followed;
}

test("a key of a ConfigMap is read, and followed until the ConfigMap is gone", async () => {
  const api = await TestApi.start(path);
  api.put(path, "istio", { data: { mesh: "a: 1", other: "x" } });
  const followed = follow(api);
  const told: (string | undefined)[] = [];
  await followed.start(() => told.push(followed.text));
  expect(followed.text).toBe("a: 1");
  expect(api.lists(path)[0]?.searchParams.get("fieldSelector")).toBe("metadata.name=istio");
  await vi.waitUntil(() => api.watching(path) === 1, patience);
  api.put(path, "istio", { data: { mesh: "a: 1", other: "y" } });
  api.put(path, "istio", { data: { mesh: "a: 2" } });
  await vi.waitUntil(() => followed.text === "a: 2", patience);
  api.remove(path, "istio");
  await vi.waitUntil(() => followed.text === undefined, patience);
  expect(told).toEqual(["a: 2", undefined]);
});

test("what may not be read is told, and nothing is waited for", async () => {
  const api = await TestApi.start(path);
  api.serve("/api/v1/configmaps");
  api.next(
    ({ pathname }) => pathname === path,
    (response) => refuse(response, 403, "no"),
    99,
  );
  const followed = follow(api);
  await followed.start(() => undefined);
  expect([followed.text, followed.refusal]).toEqual([undefined, "may not list configmaps (403: no)"]);
});
