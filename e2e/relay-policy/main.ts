// npm run e2e -- relay-policy [ROUNDS [SEED]]: what the relay makes of requests is what a real Envoy makes of them.
import { casesOf } from "./cases.ts";
import { compareWithEnvoy } from "./comparison.ts";
import { compareFailures } from "./failures.ts";

/** Services of one Envoy. */
const casesPerRound = 300;

const [rounds = 20, first = 1] = process.argv.slice(2).map(Number);
let asked = 0;
let forwarded = 0;
let mirrored = 0;
let different = 0;
for (let seed = first; seed < first + rounds; seed++) {
  const comparison = await compareWithEnvoy(casesOf(seed, casesPerRound));
  asked += comparison.asked;
  forwarded += comparison.forwarded;
  mirrored += comparison.mirrored;
  different += comparison.different.length;
  for (const one of comparison.different.slice(0, 3)) process.stdout.write(`seed ${seed}: ${one}\n\n`);
}
const failures = await compareFailures();
for (const one of failures.different) process.stdout.write(`${one}\n`);
different += failures.different.length;
process.stdout.write(`${failures.asked} requests that fail, ${failures.retried} of them tried again\n`);
process.stdout.write(
  `${asked} requests, ${forwarded} of them forwarded, ${mirrored} mirrored: ${different} differ\n`,
);
process.exitCode = different === 0 && forwarded > 0 && mirrored > 0 ? 0 : 1;
