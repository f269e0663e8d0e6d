import type { Resource, ResourceSnapshot } from "@keelson/protos";
import * as fc from "fast-check";
import { AdsStream } from "../server/ads-stream.ts";
import type { Codec } from "../server/codec.ts";
import { deltaCodec } from "../server/delta-codec.ts";
import { ResourceEncoder } from "../server/encoding.ts";
import { epochOf } from "../server/epoch.ts";
import { defaultLimits } from "../server/limits.ts";
import { NodeViews } from "../server/node-views.ts";
import { sotwCodec } from "../server/sotw-codec.ts";
import { rulesInOrder, type TypeRule, TypeRules } from "../server/type-rules.ts";
import { DeltaModelClient } from "./delta-model-client.ts";
import type { Decision, ModelClient } from "./model-client.ts";
import { resource, snapshot } from "./resources.ts";
import { SotwModelClient } from "./sotw-model-client.ts";

/** Targets and references are followed as wildcards from the start of each stream; things are asked for at will. */
export const [target, reference, thing] = [
  "type.test/Target",
  "type.test/Reference",
  "type.test/Thing",
] as const;
export const typeUrls = [target, reference, thing];
const thingNames = ["t0", "t1", "t2"];

type Content = Readonly<Record<string, readonly Resource[]>>;
export type Step =
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

export function steps(...decisions: Decision[]): fc.Arbitrary<Step[]> {
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
export interface Flavour {
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

export const delta: Flavour = {
  rules: inOrder,
  codec: deltaCodec,
  client: () => new DeltaModelClient(typeUrls),
};
export const flavours: readonly (readonly [string, Flavour])[] = [
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
export class World {
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
