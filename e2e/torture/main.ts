// npm run e2e -- torture: all that callers and servers may do to a connection, while everything changes under them.
import { parseArgs } from "node:util";
import { missingForKernel } from "../world/requirements.ts";
import { mebibytes, memoryText } from "./memory.ts";
import { runTorture } from "./run.ts";
import type { SocketsMode } from "./torture-world.ts";

const usage = `usage: npm run e2e -- torture [options]

Many callers send requests of all sizes through the relay of a node, write, read and end connections in every way that sockets
allow, while endpoints and rules change and the relay and the agent are killed. Each byte of each body is compared.

  --requests N    (default: 1000000)
  --callers N     at once (default: 48)
  --most BYTES    of the largest body (default: 104857600)
  --between N     answers between two changes (default: 2000)
  --sockets MODE  what the agent does with callers' sockets: off, count, switch or queue (default: switch); one after another, if
                  given again
  --seed N        of all choices; the environment's SEED, else one by the clock
  --help          this text
`;

const { values } = parseArgs({
  options: {
    requests: { type: "string", default: "1000000" },
    callers: { type: "string", default: "48" },
    most: { type: "string", default: String(100 * 2 ** 20) },
    between: { type: "string", default: "2000" },
    sockets: { type: "string", multiple: true, default: ["switch"] },
    seed: { type: "string", default: process.env["SEED"] ?? String(Date.now() % 1_000_000) },
    help: { type: "boolean", short: "h", default: false },
  },
});

async function main(): Promise<number> {
  if (values.help) {
    process.stdout.write(usage);
    return 0;
  }
  const unknown = values.sockets.find((mode) => !isMode(mode));
  if (unknown !== undefined) {
    process.stderr.write(`--sockets is off, count, switch or queue, not "${unknown}"\n\n${usage}`);
    return 2;
  }
  const missing = await missingForKernel();
  if (missing.length > 0) {
    process.stderr.write(`this machine lacks ${missing.join("; ")}\n`);
    return 1;
  }
  let failed = false;
  for (const mode of values.sockets.filter(isMode)) failed = (await tortureIn(mode)) || failed;
  return failed ? 1 : 0;
}

/** @returns whether anything was wrong; says what came of it */
async function tortureIn(sockets: SocketsMode): Promise<boolean> {
  console.log(`seed ${values.seed}, sockets ${sockets}`);
  const { report, changes, held, switched, memory, troubles } = await runTorture(
    "torturelong",
    {
      seed: Number(values.seed),
      callers: Number(values.callers),
      requests: Number(values.requests),
      mostBytes: Number(values.most),
      sockets,
      answersPerChange: Number(values.between),
      stopped: 10,
    },
    console.log,
  );
  console.log(
    `answers ${report.right}, of ${report.connections} connections, ${mebibytes(report.bytes)} of bodies`,
  );
  console.log(`cut, where that may be: ${report.cut}; answered by no server there: ${report.refused}`);
  console.log(`calls that block and gave EAGAIN: ${report.sentAway}`);
  console.log(`programs: ${JSON.stringify(switched)}`);
  console.log(`changes: ${JSON.stringify(changes)}`);
  console.log(`a reader that has stopped holds ${mebibytes(held.each)}; may hold ${mebibytes(held.most)}`);
  console.log(`memory before: ${memoryText(memory.before)}\nmemory after:  ${memoryText(memory.after)}`);
  for (const trouble of troubles) console.log(`WRONG ${trouble}`);
  console.log(`${report.wrong + report.hung} wrong of ${report.begun} requests (seed ${values.seed})`);
  return troubles.length > 0;
}

const isMode = (text: string): text is SocketsMode => ["off", "count", "switch", "queue"].includes(text);

process.exitCode = await main();
