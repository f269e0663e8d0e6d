import { runScenarios } from "../scenarios/run.ts";
import { NodeWorld } from "./node-world.ts";
import { type NodeScale, type NodeScenario, nodeScenarios } from "./scenarios.ts";

/**
 * Runs scenarios, all by default; see runScenarios.
 * @param name of the world
 * @returns how many do not hold
 */
export function runNodeScenarios(
  name: string,
  scale: NodeScale,
  scenarios: readonly NodeScenario[] = nodeScenarios,
): Promise<number> {
  return runScenarios<NodeWorld>({
    what: "a node",
    open: () => NodeWorld.open(name),
    runs: scenarios.map((scenario) => ({
      name: `node: ${scenario.name}`,
      run: (world) => scenario.run(world, scale),
    })),
  });
}
