import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  delta,
  type Flavour,
  flavours,
  reference,
  type Step,
  steps,
  target,
  thing,
  typeUrls,
  World,
} from "../testing/convergence-world.ts";
import type { Decision } from "../testing/model-client.ts";
import { resource } from "../testing/resources.ts";
import { sotwCodec } from "./sotw-codec.ts";

/** What the client holds differs from what it should hold only where it rejected just that. */
function expectConverged(world: World): void {
  for (const typeUrl of typeUrls) {
    const held = world.held(typeUrl);
    const { rejected } = world.client.interest(typeUrl);
    const wanted = world.wanted(typeUrl);
    for (const name of new Set([...held.keys(), ...wanted.keys()])) {
      if (held.get(name) === wanted.get(name)) continue;
      expect([...rejected], `${typeUrl} ${name}`).toContainEqual([name, wanted.get(name)]);
    }
  }
}

/** Checks what `act` does to many worlds. */
function inAllWorlds(
  flavour: Flavour,
  decisions: Decision[],
  act: (world: World, list: Step[]) => void,
): void {
  fc.assert(
    fc.property(steps(...decisions), (list) => {
      const world = new World(flavour);
      act(world, list);
      world.close();
    }),
    { numRuns: 1_000 },
  );
}

test("a response that crosses with an end and a renewal of the wildcard is not forgotten", () => {
  const world = new World(delta);
  const { client } = world;
  world.setSnapshot({ [thing]: [resource("t0"), resource("t1")] });
  world.settle();
  client.subscribe(thing, ["*"]);
  while (world.serve());
  // t0 and t1 are on their way.
  client.unsubscribe(thing, ["*"]);
  client.subscribe(thing, ["*"]);
  while (world.serve());
  world.setSnapshot({ [thing]: [resource("t1")] });
  world.settle();
  expect([...client.interest(thing).held.keys()]).toEqual(["t1"]);
});

describe.each(flavours)("%s", (_, flavour) => {
  test("whatever happens, the client ends with what the server has for it", () => {
    inAllWorlds(flavour, ["accept"], (world, list) => {
      for (const step of list) world.run(step);
      world.settle();
      for (const typeUrl of typeUrls) expect(world.held(typeUrl)).toEqual(world.wanted(typeUrl));
      expect(world.repeat()).toBe(0);
    });
  });

  test("whatever it rejects, it ends with what the server has for it, but for what it rejected", () => {
    inAllWorlds(flavour, ["accept", "reject", "reject, but take a part"], (world, list) => {
      for (const step of list) world.run(step);
      world.settle();
      expectConverged(world);
      expect(world.repeat()).toBe(0);
      // On a new stream it is offered again what it rejected.
      world.reconnect();
      world.settle();
      for (const typeUrl of typeUrls) {
        const held = world.held(typeUrl);
        expect([...world.wanted(typeUrl)].filter(([name, text]) => held.get(name) !== text)).toEqual([]);
      }
    });
  });

  test("the client never hears of a reference before its target, nor loses a target that it refers to", () => {
    inAllWorlds(flavour, ["accept", "reject"], (world, list) => {
      const heard = new Set<string>();
      const references = world.client.interest(reference);
      const targetOf = (text: string): string => text.split(" ")[1] ?? "";
      world.client.onResponse = ({ typeUrl, texts: told }) => {
        for (const [name, text] of told) {
          if (typeUrl === target && text !== undefined) heard.add(name);
          if (typeUrl === reference && text !== undefined) expect(heard).toContain(targetOf(text));
          if (typeUrl !== target || text !== undefined) continue;
          heard.delete(name);
          const left = [...references.held].filter(
            ([holder, held]) => targetOf(held) === name && !references.rejected.has(holder),
          );
          expect(left).toEqual([]);
        }
      };
      for (const step of list) {
        // A client of the state of the world cannot say what it holds of an earlier stream.
        if (step.do === "reconnect" && flavour.codec === sotwCodec) continue;
        world.run(step);
        // Only what it holds outlives a stream.
        if (step.do !== "reconnect") continue;
        heard.clear();
        for (const name of world.client.interest(target).held.keys()) heard.add(name);
      }
      world.settle();
    });
  });

  test("all responses on their way are of one version, and few", () => {
    inAllWorlds(flavour, ["accept", "reject"], (world, list) => {
      for (const step of list) {
        world.run(step);
        const versions = world.client.versionsOnTheWay;
        const isLockstep = flavour.rules.every(({ independent }) => independent !== true);
        if (isLockstep) expect(new Set(versions).size).toBeLessThanOrEqual(1);
        expect(versions.length).toBeLessThanOrEqual(2 * typeUrls.length);
      }
    });
  });
});
