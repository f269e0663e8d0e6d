// npm run e2e -- relay-deaths: the node's relay, or its agent, is killed again and again, under load.
import { parseArgs } from "node:util";
import { families, ReviewsWorld } from "../scenarios/reviews-world.ts";
import type { ApplierStart } from "../world/applier.ts";
import { missingForKernel } from "../world/requirements.ts";
import { killAgent, killRelay } from "./deaths.ts";

const usage = `usage: npm run e2e -- relay-deaths [options]

A node's relay is killed (SIGKILL) under callers that ask all the time, now and then, or once, and callers that connect anew:
nobody is refused, no connection between two requests is closed, no answer is wrong. If it is the agent that is killed, no request
is lost.

  --kill WHOM  relay or agent (default: relay)
  --deaths N   for each family of addresses (default: 50)
  --alive MS   that it runs before it is killed again (default: 5500, so that it is started again at once)
  --sockets M  what the agent does with callers' sockets: off, count, switch or queue (default: off)
  --help       this text
`;

const { values } = parseArgs({
  options: {
    kill: { type: "string", default: "relay" },
    deaths: { type: "string", default: "50" },
    alive: { type: "string", default: "5500" },
    sockets: { type: "string", default: "off" },
    help: { type: "boolean", short: "h", default: false },
  },
});

async function main(): Promise<number> {
  if (values.help) {
    process.stdout.write(usage);
    return 0;
  }
  const kill = { relay: killRelay, agent: killAgent }[values.kill];
  if (kill === undefined) throw new Error(`--kill=${values.kill}: expected relay or agent`);
  const missing = await missingForKernel();
  if (missing.length > 0) {
    process.stderr.write(`this machine lacks ${missing.join("; ")}\n`);
    return 1;
  }
  const scale = { connections: 200, awayMs: 0, senders: 4 };
  const deaths = { deaths: Number(values.deaths), aliveMs: Number(values.alive) };
  const sockets =
    values.sockets === "off" ? {} : { sockets: values.sockets as NonNullable<ApplierStart["sockets"]> };
  const reviews = await ReviewsWorld.open("relaydeaths", scale, { relay: "builtin", ...sockets });
  try {
    const route = ["v1", "v2"].map((subset) => ({ destination: { host: "reviews", subset }, weight: 50 }));
    await reviews.httpRoutes({ route });
    for (const family of families) {
      const callers = { busy: 16, pausing: 32, idle: 100, fresh: 4 };
      const { answers, lost } = await kill(reviews, family, { ...callers, ...deaths }, (death, result) => {
        console.log(`${family}: killed ${death} times: ${JSON.stringify(result)}`);
      });
      console.log(`ok  ${family}: ${answers} answers, ${lost} requests lost in ${deaths.deaths} deaths`);
    }
  } finally {
    await reviews.close();
  }
  return 0;
}

process.exitCode = await main();
