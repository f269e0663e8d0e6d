// Runs the connect tier's scenarios with the real control plane and applier; ends with 1 if any fails. For a guest
// without a test runner: node e2e/kernels/scenarios-in-guest.ts
import { release } from "node:os";
import { scenarios } from "../scenarios/index.ts";
import { families, ReviewsWorld, type Scale } from "../scenarios/reviews-world.ts";

/** An emulated machine is slow: enough connections for the bound on a split to mean something, and a short absence. */
const scale: Scale = { connections: 300, awayMs: 2_000 };

let failed = 0;
for (const family of families) {
  const reviews = await ReviewsWorld.open(`guest${family.toLowerCase()}`, scale);
  try {
    for (const scenario of scenarios) {
      const startedAt = performance.now();
      const seconds = (): string => ((performance.now() - startedAt) / 1000).toFixed(1);
      try {
        await scenario.run(reviews, family);
        console.log(`ok      ${family}: ${scenario.name} (${seconds()} s)`);
      } catch (error) {
        failed += 1;
        console.log(`FAILED  ${family}: ${scenario.name} (${seconds()} s)`);
        console.log(error instanceof Error ? error.stack : error);
      }
      await reviews.withoutRules();
    }
  } finally {
    await reviews.close();
  }
}
console.log(`${release()}: ${2 * scenarios.length - failed} of ${2 * scenarios.length} scenarios hold`);
process.exitCode = failed === 0 ? 0 : 1;
