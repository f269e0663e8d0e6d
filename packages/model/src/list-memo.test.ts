import { expect, test } from "vitest";
import { ListMemo } from "./list-memo.ts";
import { ObjectSet } from "./objects.ts";
import { pod, read, routeRule, service } from "./testing/manifests.ts";

test("it is made again when a list that was read is another, or another input", () => {
  const objects = new ObjectSet();
  const memo = new ListMemo<number>();
  let made = 0;
  const ask = (...inputs: unknown[]): number =>
    memo.of(objects, inputs, (lists) => {
      lists.of("RouteRule", "config.istio.io");
      lists.of("VirtualService", "networking.istio.io");
      return ++made;
    });
  const [first, ...others] = [read(service(), routeRule()), read(pod())];
  objects.update(first ?? []);
  expect([ask("a"), ask("a")]).toEqual([1, 1]);
  objects.update([...(first ?? []), ...others.flat()]);
  expect(ask("a")).toBe(1);
  expect(ask("b")).toBe(2);
  objects.update([...(first ?? []), ...read(routeRule({ name: "another" }))]);
  expect([ask("b"), ask("b")]).toEqual([3, 3]);
  objects.update([]);
  expect(ask("b")).toBe(4);
});
