import { type Compiled, Compiler } from "@keelson/compiler";
import { ModelBuilder } from "@keelson/model";
import { application, read, virtualService } from "@keelson/model/testing";
import { expect, onTestFinished, test } from "vitest";
import { Explainer, type ExplainerOptions } from "./explainer.ts";

const reviews = "reviews.default.svc.cluster.local";
const destination = { host: "reviews" };

/** Of a service whose requests are asked for these paths. */
function compiledWith(paths: readonly object[]): Compiled {
  const http = paths.map((uri) => ({ match: [{ uri }], route: [{ destination }] }));
  return new Compiler().compile(
    new ModelBuilder().build(read(...application(), virtualService({ spec: { http } }))).model,
  );
}

const exactPaths = (count: number): object[] =>
  Array.from({ length: count }, (_, index) => ({ exact: `/item/${index}` }));
/** Its automaton has 2ⁿ states. */
const demanding = (n: number): object => ({ regex: `.*a.{${n}}` });

function explainer(options: ExplainerOptions = {}): Explainer {
  const made = new Explainer(options);
  onTestFinished(() => made.close());
  return made;
}

/** How often the event loop turns until something is there. */
async function turnsUntil(done: Promise<unknown>): Promise<number> {
  let turns = 0;
  const turn = (): void => {
    turns += 1;
    next = setImmediate(turn);
  };
  let next = setImmediate(turn);
  await done.finally(() => {
    clearImmediate(next);
  });
  return turns;
}

test("an automaton is made while the event loop turns", async () => {
  const compiled = compiledWith([demanding(10)]);
  const explaining = explainer().explain(compiled, [reviews]);
  // One piece of work on the loop would let it turn once or twice.
  expect(await turnsUntil(explaining)).toBeGreaterThan(20);
  const [explanation] = await explaining;
  expect(explanation?.ports[0]?.matching).toMatch(/^one automaton of /);
  expect(explanation).toEqual(compiled.explain(reviews));
});

test("many rules are explained in pieces, to the same end as at once", async () => {
  const compiled = compiledWith(exactPaths(600));
  const explaining = explainer({ turnMs: 0 }).explain(compiled, ["no-such-host", reviews]);
  expect(await turnsUntil(explaining)).toBeGreaterThanOrEqual(600);
  expect(await explaining).toEqual([compiled.explain(reviews)]);
});

test("a thread that fails is told, and the next one is a new one", async () => {
  const small = explainer({ mostThreadMebibytes: 16 });
  await expect(small.explain(compiledWith([demanding(20)]), [reviews])).rejects.toThrow(/memory limit/);
  const compiled = compiledWith(exactPaths(1));
  expect(await small.explain(compiled, [reviews])).toEqual([compiled.explain(reviews)]);
});

test("who waits when it is closed is told so", async () => {
  const closing = explainer();
  const waiting = [demanding(20), { exact: "/" }].map((path) =>
    closing.explain(compiledWith([path]), [reviews]),
  );
  const settled = Promise.allSettled(waiting);
  await closing.close();
  expect((await settled).map(({ status }) => status)).toEqual(["rejected", "rejected"]);
});
