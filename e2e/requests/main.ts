// npm run e2e -- requests: what is counted of requests on native connections, with many of them.
import { parseArgs } from "node:util";
import { missingForKernel } from "../world/requirements.ts";
import { lookingModes } from "./requests-world.ts";
import { runRequestsScenarios } from "./run.ts";

const usage = `usage: npm run e2e -- requests [options]

A caller sends requests of all sizes to a service of one pod, on a node whose agent looks at callers' sockets: what is counted is
what the server saw, every body is compared by its digest, and agents are killed, restarted and uninstalled meanwhile.

  --requests N   on kept connections, for each family of addresses (default: 10000)
  --restarts N   of the agent, under requests (default: 5)
  --help         this text
`;

const { values } = parseArgs({
  options: {
    requests: { type: "string", default: "10000" },
    restarts: { type: "string", default: "5" },
    help: { type: "boolean", short: "h", default: false },
  },
});

async function main(): Promise<number> {
  if (values.help) {
    process.stdout.write(usage);
    return 0;
  }
  const missing = await missingForKernel();
  if (missing.length > 0) {
    process.stderr.write(`this machine lacks ${missing.join("; ")}\n`);
    return 1;
  }
  const scale = { requests: Number(values.requests), restarts: Number(values.restarts) };
  let failed = 0;
  for (const mode of lookingModes) failed += await runRequestsScenarios("requestslong", mode, scale);
  return failed === 0 ? 0 : 1;
}

process.exitCode = await main();
