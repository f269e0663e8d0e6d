import type { Resource, ResourceSnapshot } from "@keelson/protos";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DeltaModelClient } from "../testing/delta-model-client.ts";
import type { Decision, ModelClient } from "../testing/model-client.ts";
import { resource, snapshot } from "../testing/resources.ts";
import { SotwModelClient } from "../testing/sotw-model-client.ts";
import { AdsStream } from "./ads-stream.ts";
import type { Codec } from "./codec.ts";
import { deltaCodec } from "./delta-codec.ts";
import { ResourceEncoder } from "./encoding.ts";
import { epochOf } from "./epoch.ts";
import { defaultLimits } from "./limits.ts";
import { NodeViews } from "./node-views.ts";
import { sotwCodec } from "./sotw-codec.ts";
import { rulesInOrder, type TypeRule, TypeRules } from "./type-rules.ts";

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

/** Every reference leads somewhere. A text begins with its resource's name; that of a reference goes on with its target's. */
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
      [target]: Object.entries(targets).map(([name, text]) => resource(name, `${name} ${text}`)),
      [reference]: Object.entries(references).flatMap(([name, [index, text]]) => {
        const to = names[index % names.length];
        return to === undefined ? [] : [resource(name, `${name} ${to} ${text}`)];
      }),
      [thing]: Object.entries(things).map(([name, [text, only]]) => resource(name, `${name} ${text}`, only)),
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

/** How a stream is spoken on, and what is told to the server of its types. */
interface Flavour {
  readonly rules: readonly TypeRule[];
  readonly codec: (encoder: ResourceEncoder) => Codec;
  readonly client: () => ModelClient;
}

const inOrder = rulesInOrder([target, reference]);
/** As an Envoy's clusters and what refers to them. */
const inStages: readonly TypeRule[] = [
  { typeUrl: target, settling: true, versionForm: "time" },
  { typeUrl: reference, settling: true, stage: 1, versionForm: "time" },
];
const things: TypeRule = { typeUrl: thing, versionForm: "time" };
const partialThings: TypeRule = { ...things, wildcard: false, independent: true };

const delta: Flavour = {
  rules: inOrder,
  codec: deltaCodec,
  client: () => new DeltaModelClient(typeUrls),
};
const flavours: readonly (readonly [string, Flavour])[] = [
  ["delta", delta],
  ["delta in stages", { ...delta, rules: [...inStages, things] }],
  [
    "the state of the world",
    { rules: inOrder, codec: sotwCodec, client: () => new SotwModelClient(typeUrls) },
  ],
  [
    "the state of the world in stages, and by name",
    {
      rules: [...inStages, partialThings],
      codec: sotwCodec,
      client: () => new SotwModelClient(typeUrls, [thing]),
    },
  ],
];

/** A server's stream, a client, and what is between them. */
class World {
  readonly client: ModelClient;
  private readonly flavour: Flavour;
  private readonly codec: Codec;
  private readonly views = new NodeViews();
  private snapshot: ResourceSnapshot = snapshot(1, {});
  private epoch = epochOf(1n, 1);
  private content: Content = {};
  private stream: AdsStream;

  constructor(flavour: Flavour) {
    this.flavour = flavour;
    this.codec = flavour.codec(new ResourceEncoder());
    this.client = flavour.client();
    this.client.interest(target).wildcard = true;
    this.client.interest(reference).wildcard = true;
    this.stream = this.open();
    this.client.connect();
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
        this.client.subscribe(thing, this.wishable(step.names));
        break;
      case "unsubscribe":
        // Who drops what it has while a response is on its way, and wants it again, cannot say so by name in the state of
        // the world.
        if (this.hasWildcard || this.client.isQuiet)
          this.client.unsubscribe(thing, this.wishable(step.names));
        break;
    }
  }

  setSnapshot(made: Content): void {
    this.content = made;
    const version = Number(this.snapshot.version) + 1;
    this.snapshot = snapshot(version, made);
    this.epoch = epochOf(BigInt(version), version);
    this.stream.onNews();
  }

  reconnect(): void {
    this.stream.close();
    this.stream = this.open();
    this.client.connect();
  }

  /** Lets the server read one request. */
  serve(): boolean {
    return this.client.serverReads(this.stream);
  }

  /** Lets everything through that is on its way, until nothing is. */
  settle(): void {
    while (this.client.serverReads(this.stream) || this.client.clientReads("accept"));
  }

  /** The same content again, as a new version: nothing of it is worth a response. */
  repeat(): number {
    this.setSnapshot(this.content);
    return this.client.versionsOnTheWay.length;
  }

  close(): void {
    this.stream.close();
  }

  /** What the client should hold of a type: name → text. */
  wanted(typeUrl: string): Map<string, string> {
    const interest = this.client.interest(typeUrl);
    const mine = (this.content[typeUrl] ?? []).filter(
      ({ name, node: only }) => interest.wants(name) && (only === undefined || only === "me"),
    );
    return new Map(mine.map(({ name, body }) => [name, Buffer.from(body).toString()]));
  }

  /** What it holds, but for what it cannot know to be gone: it drops that by itself when nothing refers to it. */
  held(typeUrl: string): Map<string, string> {
    const { held } = this.client.interest(typeUrl);
    const wanted = this.wanted(typeUrl);
    const knows = this.flavour.codec !== sotwCodec || this.ruleOf(typeUrl)?.wildcard !== false;
    return new Map([...held].filter(([name]) => knows || wanted.has(name)));
  }

  private ruleOf(typeUrl: string): TypeRule | undefined {
    return this.flavour.rules.find((rule) => rule.typeUrl === typeUrl);
  }

  private get hasWildcard(): boolean {
    return this.ruleOf(thing)?.wildcard !== false;
  }

  private wishable(list: readonly string[]): readonly string[] {
    return this.hasWildcard ? list : list.filter((name) => name !== "*");
  }

  private open(): AdsStream {
    return new AdsStream({
      types: new TypeRules(this.flavour.rules),
      limits: defaultLimits,
      codec: this.codec,
      label: "me",
      answersInFull: false,
      newest: () => ({
        epoch: this.epoch,
        view: this.views.viewOf("me", this.snapshot),
      }),
      send: (bytes) => this.client.receive(bytes),
      isSent: () => this.client.versionsOnTheWay.length === 0,
      onEvent: () => undefined,
    });
  }
}

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
