// What this kernel's matcher says of a corpus of heads, beside the executor; ends with 1 where they differ. For a guest
// without a test runner: node e2e/matching/main.ts
import { release } from "node:os";
import { compareOverCorpus } from "./corpus.ts";
import { KernelMatcher } from "./kernel-matcher.ts";

const kernel = await KernelMatcher.load();
const { compared, different } = await compareOverCorpus(kernel);
kernel.close();
for (const line of different) console.log(`DIFFERENT ${line}`);
console.log(
  `${release()}: the kernel's matcher is right about ${compared - different.length} of ${compared} heads`,
);
process.exitCode = different.length === 0 ? 0 : 1;
