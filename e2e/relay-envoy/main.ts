// npm run e2e -- relay-envoy: the relay's scenarios on a node whose relay is an Envoy, over both families of addresses.
import { requirePeer } from "../peers/peer-cache.ts";
import { envoyRelayScenarios } from "../scenarios/relay.ts";
import { families, fullScale, ReviewsWorld } from "../scenarios/reviews-world.ts";
import { missingForKernel } from "../world/requirements.ts";

const missing = await missingForKernel();
if (missing.length > 0) throw new Error(`this machine lacks ${missing.join("; ")}`);
const { program } = await requirePeer("envoy");
let failed = 0;
for (const family of families) {
  const name = `envoy${family.toLowerCase()}`;
  const reviews = await ReviewsWorld.open(name, fullScale, { relay: "envoy", envoy: program });
  try {
    for (const scenario of envoyRelayScenarios) {
      const trouble = await scenario.run(reviews, family).then(
        () => "",
        (error: Error) => `: ${error.message}`,
      );
      if (trouble !== "") failed += 1;
      process.stdout.write(`${family}: ${trouble === "" ? "ok" : "FAILED"} ${scenario.name}${trouble}\n`);
      await reviews.withoutRules();
    }
  } finally {
    await reviews.close();
  }
}
process.exitCode = failed === 0 ? 0 : 1;
