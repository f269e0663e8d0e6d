// npm run e2e -- relay-envoy: the relay's scenarios on a node whose relay is an Envoy, over both families of addresses.
import { requirePeer } from "../peers/peer-cache.ts";
import { envoyRelayScenarios } from "../scenarios/relay.ts";
import { reviewsRuns } from "../scenarios/reviews-runs.ts";
import { families, fullScale, ReviewsWorld } from "../scenarios/reviews-world.ts";
import { runScenarios } from "../scenarios/run.ts";
import { missingForKernel } from "../world/requirements.ts";

const missing = await missingForKernel();
if (missing.length > 0) throw new Error(`this machine lacks ${missing.join("; ")}`);
const { program } = await requirePeer("envoy");
let failed = 0;
for (const family of families) {
  failed += await runScenarios<ReviewsWorld>({
    what: `a relay that is an Envoy, over ${family}`,
    open: () =>
      ReviewsWorld.open(`envoy${family.toLowerCase()}`, fullScale, { relay: "envoy", envoy: program }),
    runs: reviewsRuns(family, envoyRelayScenarios),
  });
}
process.exitCode = failed === 0 ? 0 : 1;
