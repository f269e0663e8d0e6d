import { NodeWorld } from "./node-world.ts";
import { type NodeScale, type NodeScenario, nodeScenarios } from "./scenarios.ts";

/**
 * Runs scenarios, all by default, without a test runner, and says of each whether it holds.
 * @param name of the world
 * @returns how many do not
 */
export async function runNodeScenarios(
  name: string,
  scale: NodeScale,
  scenarios: readonly NodeScenario[] = nodeScenarios,
): Promise<number> {
  let failed = 0;
  let node = await NodeWorld.open(name);
  try {
    for (const scenario of scenarios) {
      const startedAt = performance.now();
      const seconds = (): string => ((performance.now() - startedAt) / 1000).toFixed(1);
      try {
        await scenario.run(node, scale);
        console.log(`ok      node: ${scenario.name} (${seconds()} s)`);
      } catch (error) {
        failed += 1;
        console.log(`FAILED  node: ${scenario.name} (${seconds()} s)`);
        console.log(error instanceof Error ? error.stack : error);
        // It may have left anything behind.
        await node.close();
        node = await NodeWorld.open(name);
      }
    }
  } finally {
    await node.close();
  }
  console.log(`${scenarios.length - failed} of ${scenarios.length} scenarios of a node hold`);
  return failed;
}
