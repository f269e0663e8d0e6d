import { create } from "@bufbuild/protobuf";
import { PortRouter } from "@keelson/bpf-applier/relay-policy";
import { answerAutomaton, match, matchAnswer, matchAutomaton } from "@keelson/compiler/automaton";
import {
  bytesOf,
  headOf,
  nearlyAnswers,
  nearlyHeads,
  someAnswer,
  someRequest,
  someRules,
} from "@keelson/compiler/automaton/testing";
import type { HttpMatch } from "@keelson/protos/match";
import { ServicePortSchema } from "@keelson/protos/policy";
import fc from "fast-check";
import { expect, type TestContext, test } from "vitest";
import { compareOverCorpus } from "../matching/corpus.ts";
import { KernelMatcher } from "../matching/kernel-matcher.ts";
import { missingForKernel } from "../world/requirements.ts";

const missing = (await missingForKernel()).join("; ");

async function load(context: TestContext): Promise<KernelMatcher> {
  context.skip(missing !== "", missing);
  const kernel = await KernelMatcher.load();
  context.onTestFinished(() => {
    kernel.close();
  });
  return kernel;
}

/** Heads, and what is nearly one. */
const heads = fc.array(fc.oneof(someRequest.map(headOf), nearlyHeads), { minLength: 20, maxLength: 20 });

test("[kernel] the kernel's matcher finds what the executor finds, of any rules and any bytes", async (context) => {
  const kernel = await load(context);
  await fc.assert(
    fc.asyncProperty(someRules, heads, async (made, texts) => {
      const automaton = matchAutomaton(made);
      if ("unfit" in automaton) throw new Error(automaton.unfit);
      kernel.use(automaton);
      for (const text of texts) {
        const bytes = bytesOf(text);
        expect(await kernel.match(automaton, bytes), text).toEqual(match(automaton, bytes));
      }
    }),
    { numRuns: 50 },
  );
});

test("[kernel] it does so of a corpus, whole and cut at every byte", async (context) => {
  const { compared, different } = await compareOverCorpus(await load(context));
  expect(different).toEqual([]);
  expect(compared).toBeGreaterThan(150);
});

test("[kernel] the kernel finds what the executor finds, of any answers and what is nearly one", async (context) => {
  const kernel = await load(context);
  const automaton = answerAutomaton();
  kernel.use(automaton);
  let strict = 0;
  await fc.assert(
    fc.asyncProperty(fc.oneof(someAnswer, nearlyAnswers), async (text) => {
      const bytes = bytesOf(text);
      const expected = matchAnswer(automaton, bytes);
      if (!("relay" in expected)) strict++;
      expect(await kernel.matchAnswer(automaton, bytes), text).toEqual(expected);
    }),
    { numRuns: 1000 },
  );
  expect(strict).toBeGreaterThan(100);
});

test("the relay's matcher finds what the executor finds, of any rules and any strict head", () => {
  let compared = 0;
  fc.assert(
    fc.property(someRules, fc.array(someRequest, { minLength: 10, maxLength: 10 }), (made, requests) => {
      const automaton = matchAutomaton(made);
      if ("unfit" in automaton) throw new Error(automaton.unfit);
      const router = routerOf(made);
      for (const request of requests) {
        const verdict = match(automaton, bytesOf(headOf(request)));
        if ("relay" in verdict) continue;
        compared++;
        expect([ruleOf(router, request), headOf(request)]).toEqual([verdict.rule, headOf(request)]);
      }
    }),
    { numRuns: 60 },
  );
  expect(compared).toBeGreaterThan(200);
});

type SomeRequest = Parameters<typeof headOf>[0];

/** Each rule answers by itself, with its number as its name. */
function routerOf(rules: readonly (readonly HttpMatch[])[]): PortRouter {
  const routes = rules.map((matches, rule) => ({
    route: { name: `${rule}`, matches: [...matches], directResponse: { status: 200 } },
  }));
  return new PortRouter({ port: create(ServicePortSchema, { port: 80, routes }) });
}

function ruleOf(router: PortRouter, { method, path, headers }: SomeRequest): number | undefined {
  const authority = headers.find(([name]) => name === "Host")?.[1] ?? "";
  const head = { method, path: `${path}?q`, authority, scheme: "http" as const, rawHeaders: headers.flat() };
  const caller = { workload: undefined, address: "127.0.0.1", port: 1 };
  const { route } = router.route(head, caller, Math.random);
  return route === "" ? undefined : Number(route);
}
