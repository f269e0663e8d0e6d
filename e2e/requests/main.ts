// npm run e2e -- requests: what is counted of requests on native connections, with many of them.
import { longRun, wholeNumber } from "../long-run.ts";
import { lookingModes } from "./requests-world.ts";
import { runRequestsScenarios } from "./run.ts";

const usage = `usage: npm run e2e -- requests [options]

A caller sends requests of all sizes to a service of one pod, on a node whose agent looks at callers' sockets: what is counted is
what the server saw, every body is compared by its digest, and agents are killed, restarted and uninstalled meanwhile.

  --requests N   on kept connections, for each family of addresses (default: 10000)
  --restarts N   of the agent, under requests (default: 5)
  --help         this text
`;

process.exitCode = await longRun({
  usage,
  options: {
    requests: { type: "string", default: "10000" },
    restarts: { type: "string", default: "5" },
  },
  async run(given) {
    const scale = {
      requests: wholeNumber("requests", given.requests),
      restarts: wholeNumber("restarts", given.restarts),
    };
    let failed = 0;
    for (const mode of lookingModes) failed += await runRequestsScenarios("requestslong", mode, scale);
    return failed === 0;
  },
});
