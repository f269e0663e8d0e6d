import type { ConformanceCase } from "../case.ts";
import { acknowledging } from "./acknowledging.ts";
import { converging } from "./converging.ts";
import { debouncing } from "./debouncing.ts";
import { firstRequests } from "./first-requests.ts";
import { limits } from "./limits.ts";
import { nodes } from "./nodes.ts";
import { ordering } from "./ordering.ts";
import { partialPushes } from "./partial-pushes.ts";
import { removing } from "./removing.ts";
import { resuming } from "./resuming.ts";
import { subscribing } from "./subscribing.ts";
import { versions } from "./versions.ts";
import { warming } from "./warming.ts";
import { wildcards } from "./wildcards.ts";

export const cases: readonly ConformanceCase[] = [
  ...firstRequests,
  ...acknowledging,
  ...subscribing,
  ...wildcards,
  ...versions,
  ...warming,
  ...resuming,
  ...ordering,
  ...removing,
  ...partialPushes,
  ...converging,
  ...debouncing,
  ...nodes,
  ...limits,
];
