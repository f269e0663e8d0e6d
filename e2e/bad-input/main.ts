// npm run e2e -- bad-input: the attacks of the end-to-end tests in full size, as a table.

import { missingOpenssl, Openssl } from "../peers/openssl.ts";
import { peerRunFolder } from "../peers/peer-process.ts";
import { attacks } from "./attacks.ts";
import { HonestUser } from "./honest.ts";
import { Victim } from "./victim.ts";
import { withstand } from "./withstand.ts";

const rounds = 3;
/** MiB of resident memory: thousands of connections with TLS take about 60 kB each beside what the short form has. */
const memoryBound = 1_200;
/** MiB that the most may grow by from the second time to the third. */
const repetitionBound = 96;

const missing = missingOpenssl();
if (missing !== undefined) {
  process.stderr.write(`bad-input: ${missing}\n`);
  process.exit(1);
}

const victim = await Victim.start();
const openssl = await Openssl.in(await peerRunFolder("openssl"));
await openssl.request("honest");
const csr = await openssl.read("honest.csr");
const root = await victim.root();
const user = new HonestUser({ ports: victim.ports, root, token: victim.issuer.token(), csr });
let wrong = 0;

process.stdout.write(`resident memory in MiB: before, and the most, each of ${rounds} times\n\n`);
for (const attack of attacks({
  connections: 1_400,
  halfOpen: 10_000,
  frames: 200_000,
  deaf: 200,
  changes: 5,
})) {
  const peaks: number[] = [];
  const cells: string[] = [];
  const complaints: string[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const { before, peak, notServed } = await withstand(victim, user, attack);
    peaks.push(peak);
    cells.push(`${before} ${peak}`);
    complaints.push(...notServed);
  }
  const [second = 0, third = 0] = peaks.slice(-2);
  if (third - second > repetitionBound)
    complaints.push(`it grew from ${second} to ${third} MiB when it was repeated`);
  if (Math.max(...peaks) > memoryBound) complaints.push(`more than ${memoryBound} MiB`);
  wrong += complaints.length;
  process.stdout.write(
    `${cells.join("  ")}  ${attack.title}\n${complaints.map((each) => `  wrong: ${each}\n`).join("")}`,
  );
}
await user.stop();
await victim.stop();
process.stdout.write(`\n${wrong === 0 ? "all was withstood" : `${wrong} things are wrong`}\n`);
process.exit(wrong === 0 ? 0 : 1);
