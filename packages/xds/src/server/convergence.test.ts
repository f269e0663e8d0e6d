import type { Resource, ResourceSnapshot } from "@keelson/protos";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { type Decision, ModelClient } from "../testing/model-client.ts";
import { node } from "../testing/node-streams.ts";
import { resource, snapshot, versionOf } from "../testing/resources.ts";
import { AdsStream } from "./ads-stream.ts";
import { deltaCodec } from "./delta-codec.ts";
import { ResourceEncoder } from "./encoding.ts";
import { epochOf } from "./epoch.ts";
import { defaultLimits } from "./limits.ts";
import { NodeViews } from "./node-views.ts";
import { rulesInOrder, TypeRules } from "./type-rules.ts";

/** Targets and references are followed as wildcards from the start of each stream; things are asked for at will. */
const [target, reference, thing] = ["type.test/Target", "type.test/Reference", "type.test/Thing"] as const;
const typeUrls = [target, reference, thing];
const thingNames = ["t0", "t1", "t2"];

type Content = Readonly<Record<string, readonly Resource[]>>;
type Step =
  | { readonly do: "snapshot"; readonly content: Content }
  | { readonly do: "server reads" | "reconnect" }
  | { readonly do: "client reads"; readonly decision: Decision }
  | { readonly do: "subscribe" | "unsubscribe"; readonly names: readonly string[] };

const texts = fc.constantFrom("1", "2", "3");

/** Every reference leads somewhere. Its text is the target's name and a number. */
const content: fc.Arbitrary<Content> = fc
  .record({
    targets: fc.dictionary(fc.constantFrom("a", "b", "c", "d"), texts, { noNullPrototype: true }),
    references: fc.dictionary(fc.constantFrom("r", "s", "u"), fc.tuple(fc.nat(3), texts), {
      noNullPrototype: true,
    }),
    things: fc.dictionary(
      fc.constantFrom(...thingNames),
      fc.tuple(texts, fc.constantFrom(undefined, "me", "other")),
      { noNullPrototype: true },
    ),
  })
  .map(({ targets, references, things }) => {
    const names = Object.keys(targets);
    return {
      [target]: Object.entries(targets).map(([name, text]) => resource(name, text)),
      [reference]: Object.entries(references).flatMap(([name, [index, text]]) => {
        const to = names[index % names.length];
        return to === undefined ? [] : [resource(name, `${to}#${text}`)];
      }),
      [thing]: Object.entries(things).map(([name, [text, only]]) => resource(name, text, only)),
    };
  });

const names = fc.oneof(
  fc.constant(["*"]),
  fc.uniqueArray(fc.constantFrom("*", ...thingNames), { minLength: 1, maxLength: 3 }),
);

function steps(...decisions: Decision[]): fc.Arbitrary<Step[]> {
  const step: fc.Arbitrary<Step> = fc.oneof(
    { weight: 3, arbitrary: content.map((made) => ({ do: "snapshot" as const, content: made })) },
    { weight: 6, arbitrary: fc.constant({ do: "server reads" as const }) },
    {
      weight: 6,
      arbitrary: fc.constantFrom(...decisions).map((decision) => ({ do: "client reads" as const, decision })),
    },
    { weight: 1, arbitrary: fc.constant({ do: "reconnect" as const }) },
    { weight: 3, arbitrary: names.map((list) => ({ do: "subscribe" as const, names: list })) },
    { weight: 3, arbitrary: names.map((list) => ({ do: "unsubscribe" as const, names: list })) },
  );
  return fc.array(step, { maxLength: 60, size: "max" });
}

/** A server's stream, a client, and what is between them. */
class World {
  readonly client = new ModelClient(typeUrls, versionOf);
  private readonly views = new NodeViews();
  private snapshot: ResourceSnapshot = snapshot(1, {});
  private content: Content = {};
  stream = this.open();

  constructor() {
    this.client.interest(target).wildcard = true;
    this.client.interest(reference).wildcard = true;
    this.reconnect();
  }

  run(step: Step): void {
    switch (step.do) {
      case "snapshot":
        this.setSnapshot(step.content);
        break;
      case "server reads":
        this.client.serverReads(this.stream);
        break;
      case "client reads":
        this.client.clientReads(step.decision);
        break;
      case "reconnect":
        this.reconnect();
        break;
      case "subscribe":
        this.client.subscribe(thing, step.names);
        break;
      case "unsubscribe":
        this.client.unsubscribe(thing, step.names);
        break;
    }
  }

  setSnapshot(made: Content): void {
    this.content = made;
    this.snapshot = snapshot(Number(this.snapshot.version) + 1, made);
    this.stream.onNews();
  }

  reconnect(): void {
    this.stream = this.open();
    this.client.connect(node("me"));
  }

  /** Lets everything through that is on its way, until nothing is. */
  settle(): void {
    while (this.client.serverReads(this.stream) || this.client.clientReads("accept"));
  }

  /** The same content again, as a new version: nothing of it is worth a response. */
  repeat(): number {
    this.setSnapshot(this.content);
    return this.client.responses.length;
  }

  /** What the client should hold of a type: name → text. */
  wanted(typeUrl: string): Map<string, string> {
    const interest = this.client.interest(typeUrl);
    const mine = (this.content[typeUrl] ?? []).filter(
      ({ name, node: only }) => interest.wants(name) && (only === undefined || only === "me"),
    );
    return new Map(mine.map(({ name, body }) => [name, Buffer.from(body).toString()]));
  }

  private open(): AdsStream {
    return new AdsStream({
      types: new TypeRules(rulesInOrder([target, reference])),
      limits: defaultLimits,
      codec: deltaCodec(new ResourceEncoder()),
      label: "me",
      newest: () => ({
        epoch: epochOf(this.snapshot.version, 1),
        view: this.views.viewOf("me", this.snapshot),
      }),
      send: (bytes) => this.client.receive(bytes),
      isSent: () => this.client.responses.length === 0,
      onEvent: () => undefined,
      onDemand: () => undefined,
    });
  }
}

/** What the client holds differs from what it should hold only where it rejected just that. */
function expectConverged(world: World): void {
  for (const typeUrl of typeUrls) {
    const { held, rejected } = world.client.interest(typeUrl);
    const wanted = world.wanted(typeUrl);
    for (const name of new Set([...held.keys(), ...wanted.keys()])) {
      if (held.get(name) === wanted.get(name)) continue;
      expect([...rejected], `${typeUrl} ${name}`).toContainEqual([name, wanted.get(name)]);
    }
  }
}

const runs = { numRuns: 1_500 };

test("a response that crosses with an end and a renewal of the wildcard is not forgotten", () => {
  const world = new World();
  world.setSnapshot({ [thing]: [resource("t0"), resource("t1")] });
  world.settle();
  world.client.subscribe(thing, ["*"]);
  while (world.client.serverReads(world.stream));
  // t0 and t1 are on their way.
  world.client.unsubscribe(thing, ["*"]);
  world.client.subscribe(thing, ["*"]);
  while (world.client.serverReads(world.stream));
  world.setSnapshot({ [thing]: [resource("t1")] });
  world.settle();
  expect([...world.client.interest(thing).held.keys()]).toEqual(["t1"]);
});

test("whatever happens, the client ends with what the server has for it", () => {
  fc.assert(
    fc.property(steps("accept"), (list) => {
      const world = new World();
      for (const step of list) world.run(step);
      world.settle();
      for (const typeUrl of typeUrls) {
        expect(new Map(world.client.interest(typeUrl).held)).toEqual(world.wanted(typeUrl));
      }
      expect(world.repeat()).toBe(0);
    }),
    runs,
  );
});

test("whatever it rejects, it ends with what the server has for it, but for what it rejected", () => {
  fc.assert(
    fc.property(steps("accept", "reject", "reject, but take a part"), (list) => {
      const world = new World();
      for (const step of list) world.run(step);
      world.settle();
      expectConverged(world);
      expect(world.repeat()).toBe(0);
      // On a new stream it is offered again what it rejected.
      world.reconnect();
      world.settle();
      for (const typeUrl of typeUrls) {
        const { held } = world.client.interest(typeUrl);
        const wanted = world.wanted(typeUrl);
        expect([...wanted].filter(([name, text]) => held.get(name) !== text)).toEqual([]);
      }
    }),
    runs,
  );
});

test("the client never hears of a reference before its target, nor loses a target that it refers to", () => {
  fc.assert(
    fc.property(steps("accept", "reject"), (list) => {
      const world = new World();
      const heard = new Set<string>();
      world.client.onResponse = ({ typeUrl, resources, removedResources }) => {
        const references = world.client.interest(reference);
        if (typeUrl === target) {
          for (const { name } of resources) heard.add(name);
          for (const gone of removedResources) {
            heard.delete(gone);
            const left = [...references.held].filter(
              ([name, text]) => text.startsWith(gone) && !references.rejected.has(name),
            );
            expect(left).toEqual([]);
          }
        }
        if (typeUrl === reference) {
          for (const { resource: any } of resources) {
            expect(heard).toContain(
              Buffer.from(any?.value ?? [])
                .toString()
                .split("#")[0],
            );
          }
        }
      };
      for (const step of list) {
        world.run(step);
        // Only what it holds outlives a stream.
        if (step.do !== "reconnect") continue;
        heard.clear();
        for (const name of world.client.interest(target).held.keys()) heard.add(name);
      }
      world.settle();
    }),
    runs,
  );
});

test("all responses on their way are of one version", () => {
  fc.assert(
    fc.property(steps("accept", "reject"), (list) => {
      const world = new World();
      for (const step of list) {
        world.run(step);
        const { responses } = world.client;
        expect(new Set(responses.map(({ systemVersionInfo }) => systemVersionInfo)).size).toBeLessThanOrEqual(
          1,
        );
        expect(responses.length).toBeLessThanOrEqual(2 * typeUrls.length);
      }
    }),
    runs,
  );
});
