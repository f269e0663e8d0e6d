import { match, matchAutomaton } from "@keelson/compiler/automaton";
import { bytesOf, headOf, nearlyHeads, someRequest, someRules } from "@keelson/compiler/automaton/testing";
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
