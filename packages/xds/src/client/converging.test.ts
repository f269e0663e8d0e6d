import * as fc from "fast-check";
import { expect, test } from "vitest";
import { rulesInOrder } from "../server/type-rules.ts";
import { resource, snapshot } from "../testing/resources.ts";
import { TestClient } from "../testing/test-client.ts";
import { TestServer } from "../testing/test-server.ts";
import type { DeltaUpdate } from "./updates.ts";

const [target, reference] = ["type.test/Target", "type.test/Reference"] as const;
const typeUrls = [target, reference];

interface Content {
  /** Name → text. */
  readonly targets: Readonly<Record<string, string>>;
  /** Name → text; it begins with the name of a target. */
  readonly references: Readonly<Record<string, string>>;
}

type Step =
  | { readonly do: "serve"; readonly content: Content }
  | { readonly do: "wait for an ack" | "crash and start again" | "end streams and start again" }
  | { readonly do: "reject the next updates"; readonly count: number };

const texts = fc.constantFrom("1", "2", "3");
const content: fc.Arbitrary<Content> = fc
  .record({
    targets: fc.dictionary(fc.constantFrom("a", "b", "c"), texts, { minKeys: 1, noNullPrototype: true }),
    references: fc.dictionary(fc.constantFrom("r", "s", "t"), fc.tuple(fc.nat(2), texts), {
      noNullPrototype: true,
    }),
  })
  .map(({ targets, references }) => {
    const names = Object.keys(targets);
    const named = Object.entries(references).map(([name, [to, text]]) => [
      name,
      `${names[to % names.length]}${text}`,
    ]);
    return { targets, references: Object.fromEntries(named) as Record<string, string> };
  });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: content.map((made) => ({ do: "serve" as const, content: made })) },
  { weight: 2, arbitrary: fc.constant({ do: "wait for an ack" as const }) },
  { weight: 1, arbitrary: fc.constant({ do: "crash and start again" as const }) },
  { weight: 1, arbitrary: fc.constant({ do: "end streams and start again" as const }) },
  {
    weight: 1,
    arbitrary: fc
      .integer({ min: 1, max: 3 })
      .map((count) => ({ do: "reject the next updates" as const, count })),
  },
);

const all = (made: Content) => ({
  [target]: Object.entries(made.targets).map(([name, text]) => resource(name, text)),
  [reference]: Object.entries(made.references).map(([name, text]) => resource(name, text)),
});

/** A server that may be replaced by another one on the same port, and a client that does not know of it. */
class World {
  readonly client: TestClient;
  private server: TestServer;
  private content: Content = { targets: {}, references: {} };
  private version = 1;
  private rejections = 0;
  private readonly texts = new Map<string, string>();
  readonly wrong: string[] = [];

  constructor(server: TestServer) {
    this.server = server;
    this.client = new TestClient({ address: server.address, typeUrls, retryRejectedMs: 10 });
    this.client.onUpdate = (update) => this.check(update);
    this.serve(this.content);
    this.client.client.start();
  }

  async run(next: Step): Promise<void> {
    switch (next.do) {
      case "serve":
        this.serve(next.content);
        break;
      case "reject the next updates":
        this.rejections = next.count;
        break;
      case "wait for an ack":
        await expect.poll(() => this.server.eventsOf("ack").length, { interval: 1 }).toBeGreaterThan(0);
        break;
      case "crash and start again":
        await this.replace();
        break;
      case "end streams and start again":
        this.server.xds.close();
        await this.replace();
        break;
    }
  }

  /** Type → name → version: what the server has, and what the client holds. */
  states(): { served: unknown; held: unknown } {
    const served = Object.entries(all(this.content)).map(
      ([typeUrl, list]) => [typeUrl, new Map(list.map(({ name, version }) => [name, version]))] as const,
    );
    return {
      served: new Map(served),
      held: new Map(typeUrls.map((typeUrl) => [typeUrl, this.client.heldOf(typeUrl)])),
    };
  }

  async close(): Promise<void> {
    await this.client.client.close();
    this.server[Symbol.dispose]();
  }

  private serve(made: Content): void {
    this.content = made;
    this.version += 1;
    this.server.xds.setSnapshot(snapshot(this.version, all(made)));
  }

  private async replace(): Promise<void> {
    const { port } = this.server;
    this.server[Symbol.dispose]();
    this.server = await TestServer.start({ types: rulesInOrder(typeUrls) }, { port: port });
    this.serve(this.content);
  }

  private check({ typeUrl, added, removed }: DeltaUpdate): void {
    if (this.rejections > 0) {
      this.rejections -= 1;
      throw new Error("not now");
    }
    const targets = this.client.heldOf(target);
    if (typeUrl === reference) {
      for (const { name, body } of added) {
        const text = Buffer.from(body).toString();
        this.texts.set(name, text);
        if (!targets.has(text.charAt(0))) this.wrong.push(`${name} refers to ${text}, which is not held`);
      }
      for (const name of removed) this.texts.delete(name);
    } else {
      const users = [...this.texts].filter(([, text]) => removed.includes(text.charAt(0)));
      for (const [name, text] of users) this.wrong.push(`${text} is removed, ${name} refers to it`);
    }
  }
}

test("whatever happens to servers, streams and updates, the client ends with what is served", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 20, size: "max" }), async (steps) => {
      const world = new World(await TestServer.start({ types: rulesInOrder(typeUrls) }));
      try {
        for (const next of steps) await world.run(next);
        await expect
          .poll(() => world.states().held, { interval: 1, timeout: 10_000 })
          .toEqual(world.states().served);
      } finally {
        await world.close();
      }
      // What is rejected now and taken later may come in another order.
      if (!steps.some((each) => each.do === "reject the next updates")) expect(world.wrong).toEqual([]);
    }),
    { numRuns: 60, interruptAfterTimeLimit: 20_000 },
  );
});
