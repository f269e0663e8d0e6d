import { familiesOf } from "../scenarios/families.ts";
import { runScenarios } from "../scenarios/run.ts";
import { type LookingMode, RequestsWorld } from "./requests-world.ts";
import { type RequestsScale, type RequestsScenario, scenariosIn } from "./scenarios.ts";

/**
 * Runs scenarios, all by default, those for the mode, over both families; see runScenarios.
 * @param name of the world
 * @param mode of its agent
 * @returns how many do not hold
 */
export function runRequestsScenarios(
  name: string,
  mode: LookingMode,
  scale: RequestsScale,
  scenarios: readonly RequestsScenario[] = scenariosIn(mode),
): Promise<number> {
  return runScenarios<RequestsWorld>({
    what: `requests with --sockets=${mode}`,
    open: () => RequestsWorld.open(name, mode),
    runs: scenarios.flatMap((scenario) =>
      familiesOf(scenario).map((family) => ({
        name: `${family}: ${scenario.name}`,
        run: (world) => scenario.run(world, family, scale),
      })),
    ),
  });
}
