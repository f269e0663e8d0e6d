import { absenceScenarios } from "./absences.ts";
import { changeScenarios } from "./changes.ts";
import { checkScenarios } from "./check.ts";
import { ruleScenarios } from "./rules.ts";
import type { Scenario } from "./scenario.ts";
import { socketScenarios } from "./sockets.ts";

/** Everything that the connect tier must do, on any kernel. */
export const scenarios: readonly Scenario[] = [
  ...ruleScenarios,
  ...socketScenarios,
  ...changeScenarios,
  ...absenceScenarios,
  ...checkScenarios,
];
