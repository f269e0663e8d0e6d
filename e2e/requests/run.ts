import { type LookingMode, RequestsWorld } from "./requests-world.ts";
import { familiesOf, type RequestsScale, type RequestsScenario, requestsScenarios } from "./scenarios.ts";

/**
 * Runs scenarios, all by default, over both families without a test runner, and says of each whether it holds.
 * @param name of the world
 * @param mode of its agent
 * @returns how many do not
 */
export async function runRequestsScenarios(
  name: string,
  mode: LookingMode,
  scale: RequestsScale,
  scenarios: readonly RequestsScenario[] = requestsScenarios,
): Promise<number> {
  let failed = 0;
  let requests = await RequestsWorld.open(name, mode);
  try {
    for (const scenario of scenarios) {
      for (const family of familiesOf(scenario)) {
        const startedAt = performance.now();
        const seconds = (): string => ((performance.now() - startedAt) / 1000).toFixed(1);
        try {
          await scenario.run(requests, family, scale);
          console.log(`ok      ${family}: ${scenario.name} (${seconds()} s)`);
        } catch (error) {
          failed += 1;
          console.log(`FAILED  ${family}: ${scenario.name} (${seconds()} s)`);
          console.log(error instanceof Error ? error.stack : error);
          // It may have left anything behind.
          await requests.close();
          requests = await RequestsWorld.open(name, mode);
        }
      }
    }
  } finally {
    await requests.close();
  }
  const all = scenarios.flatMap(familiesOf).length;
  console.log(`${all - failed} of ${all} scenarios of requests hold with --sockets=${mode}`);
  return failed;
}
