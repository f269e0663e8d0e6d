import { LoadBalancer_Simple as Simple } from "@keelson/protos/traffic-policy";
import { describe, expect, test } from "vitest";
import { at, name, pick, Scene, setOf, simple } from "../testing/balancer-scene.ts";
import type { PolicyInit } from "../testing/builders.ts";
import type { Outcome } from "../types.ts";

describe("an endpoint that fails", () => {
  const failing: Outcome = { kind: "answer", status: 500, rawHeaders: [] };
  const fine: Outcome = { kind: "answer", status: 200, rawHeaders: [] };
  const policy = (outlierDetection: PolicyInit["outlierDetection"]): PolicyInit => ({
    ...simple(Simple.ROUND_ROBIN),
    ...(outlierDetection && { outlierDetection }),
  });
  /** Requests that all go to one endpoint, and end as said. */
  const outcomes = (
    scene: Scene,
    rule: PolicyInit,
    wanted: number,
    ends: readonly Outcome[],
    now = 0,
  ): void => {
    const balancer = scene.of(rule);
    for (const outcome of ends) {
      const endpoint = Array.from({ length: 10 }, () =>
        balancer.pick({ hash: undefined, tried: [], random: Math.random }, now),
      ).find((one) => at(one) === wanted);
      if (endpoint === undefined) return;
      balancer.started(endpoint);
      balancer.ended(endpoint, outcome, now);
    }
  };
  const seen = (scene: Scene, rule: PolicyInit, now = 0): Set<number> =>
    new Set(Array.from({ length: 12 }, () => pick(scene.of(rule), {}, now)));

  test("so many times in a row is left out, each time for longer, and comes back", () => {
    const rule = policy({
      consecutive5xxErrors: 3,
      intervalMs: 1000n,
      baseEjectionTimeMs: 5000n,
      maxEjectionPercent: 100,
    });
    const scene = new Scene(1, 1, 1);
    outcomes(scene, rule, 2, [failing, failing, fine, failing, failing]);
    expect(seen(scene, rule)).toEqual(new Set([1, 2, 3]));
    outcomes(scene, rule, 2, [failing]);
    expect(seen(scene, rule)).toEqual(new Set([1, 3]));
    expect(seen(scene, rule, 4999)).toEqual(new Set([1, 3]));
    expect(seen(scene, rule, 6000)).toEqual(new Set([1, 2, 3]));
    outcomes(scene, rule, 2, [failing, failing, failing], 6000);
    expect(seen(scene, rule, 15_000)).toEqual(new Set([1, 3]));
    expect(seen(scene, rule, 16_001)).toEqual(new Set([1, 2, 3]));
  });

  test("by errors of a gateway, also those without an answer; others do not count for it", () => {
    const rule = policy({ consecutive5xxErrors: 0, consecutiveGatewayErrors: 2, maxEjectionPercent: 100 });
    const scene = new Scene(1, 1);
    outcomes(scene, rule, 1, [failing, failing, failing]);
    expect(seen(scene, rule)).toEqual(new Set([1, 2]));
    outcomes(scene, rule, 1, [{ kind: "connectFailure" }, { kind: "timeout" }]);
    expect(seen(scene, rule)).toEqual(new Set([2]));
  });

  test("of gRPC says so in its status", () => {
    const rule = policy({ consecutive5xxErrors: 1, maxEjectionPercent: 100 });
    const scene = new Scene(1, 1);
    outcomes(scene, rule, 1, [{ kind: "answer", status: 200, rawHeaders: ["grpc-status", "14"] }]);
    expect(seen(scene, rule)).toEqual(new Set([2]));
  });

  test("to be reached may be counted apart", () => {
    const rule = policy({
      consecutive5xxErrors: 1,
      splitExternalLocalOriginErrors: true,
      consecutiveLocalOriginFailures: 2,
      maxEjectionPercent: 100,
    });
    const scene = new Scene(1, 1);
    const unreachable: Outcome = { kind: "connectFailure" };
    outcomes(scene, rule, 1, [unreachable, fine, unreachable]);
    expect(seen(scene, rule)).toEqual(new Set([1, 2]));
    outcomes(scene, rule, 1, [unreachable]);
    expect(seen(scene, rule)).toEqual(new Set([2]));
  });

  test("stays if enough others are left out, and all are asked if too few are left", () => {
    const rule = policy({ consecutive5xxErrors: 1, maxEjectionPercent: 50 });
    const scene = new Scene(1, 1, 1);
    for (const one of [1, 2, 3]) outcomes(scene, rule, one, [failing]);
    expect(seen(scene, rule)).toEqual(new Set([3]));
    // Who was left out stays so when others go, as with an Envoy, though nobody is left.
    const shrinking = new Scene(1, 1, 1);
    for (const one of [1, 2]) outcomes(shrinking, rule, one, [failing]);
    shrinking.balancers.update(new Map([[name, setOf(1, 1)]]));
    expect(seen(shrinking, rule)).toEqual(new Set([0]));
    const panic = policy({ consecutive5xxErrors: 1, maxEjectionPercent: 100, minHealthPercent: 50 });
    const other = new Scene(1, 1, 1);
    outcomes(other, panic, 1, [failing]);
    expect(seen(other, panic)).toEqual(new Set([2, 3]));
    outcomes(other, panic, 2, [failing]);
    expect(seen(other, panic)).toEqual(new Set([1, 2, 3]));
  });

  test("is still left out after a change of endpoints, and not when the rule is gone", () => {
    const rule = policy({ consecutive5xxErrors: 1, maxEjectionPercent: 100 });
    const scene = new Scene(1, 1);
    outcomes(scene, rule, 1, [failing]);
    scene.balancers.update(new Map([[name, setOf(1, 1, 1)]]));
    expect(seen(scene, rule)).toEqual(new Set([2, 3]));
    scene.balancers.update(new Map([[name, setOf(1, 1, 1)]]));
    expect(seen(scene, simple(Simple.ROUND_ROBIN))).toEqual(new Set([1, 2, 3]));
  });
});
