// npm run e2e -- relay-deaths: the node's relay, or its agent, is killed again and again, under load.
import { longRun, WrongUsage, wholeNumber } from "../long-run.ts";
import { families, ReviewsWorld } from "../scenarios/reviews-world.ts";
import { sized } from "../scenarios/taken.ts";
import type { ApplierStart } from "../world/applier.ts";
import { type Found, foundByRelays, killAgent, killRelay } from "./deaths.ts";

const usage = `usage: npm run e2e -- relay-deaths [options]

A node's relay is killed (SIGKILL) under callers that ask all the time, now and then, or once, and callers that connect anew:
nobody is refused, no connection between two requests is closed, no answer is wrong. If it is the agent that is killed, no request
is lost. Requests that programs have on a link are not lost with the relay, either: how many were all the same is said at the end.

  --kill WHOM  relay or agent (default: relay)
  --deaths N   for each family of addresses (default: 50)
  --alive MS   that it runs before it is killed again (default: 5500, so that it is started again at once)
  --sockets M  what the agent does with callers' sockets: off, count, switch or queue (default: switch)
  --help       this text
`;

const kills: Readonly<Record<string, typeof killRelay>> = { relay: killRelay, agent: killAgent };
const modes: Readonly<Record<string, Pick<ApplierStart, "sockets">>> = {
  off: {},
  count: { sockets: "count" },
  switch: { sockets: "switch" },
  queue: { sockets: "queue" },
};

/** @throws WrongUsage if there is no such value */
function oneOf<T>(option: string, values: Readonly<Record<string, T>>, name: string): T {
  const value = Object.hasOwn(values, name) ? values[name] : undefined;
  if (value === undefined)
    throw new WrongUsage(`--${option}: ${Object.keys(values).join(", ")}; found ${JSON.stringify(name)}`);
  return value;
}

process.exitCode = await longRun({
  usage,
  options: {
    kill: { type: "string", default: "relay" },
    deaths: { type: "string", default: "50" },
    alive: { type: "string", default: "5500" },
    sockets: { type: "string", default: "switch" },
  },
  async run(given) {
    const kill = oneOf("kill", kills, given.kill);
    const start: ApplierStart = { relay: "builtin", ...oneOf("sockets", modes, given.sockets) };
    const deaths = {
      deaths: wholeNumber("deaths", given.deaths),
      aliveMs: wholeNumber("alive", given.alive),
    };
    const isSwitched = given.sockets === "switch" || given.sockets === "queue";
    const scale = { connections: 200, awayMs: 0, senders: 4 };
    const reviews = await ReviewsWorld.open("relaydeaths", scale, start);
    try {
      const route = ["v1", "v2"].map((subset) => ({ destination: { host: "reviews", subset }, weight: 50 }));
      await reviews.httpRoutes({ route });
      for (const family of families) {
        const callers = {
          busy: 16,
          pausing: 32,
          idle: 100,
          fresh: 4,
          ...(isSwitched ? { paths: [sized.path, "/"] } : {}),
        };
        const { answers, lost } = await kill(reviews, family, { ...callers, ...deaths }, (death, result) => {
          console.log(`${family}: killed ${death} times: ${JSON.stringify(result)}`);
        });
        console.log(`ok  ${family}: ${answers} answers, ${lost} requests lost in ${deaths.deaths} deaths`);
      }
      const found = await foundByRelays(reviews);
      const sum = (of: keyof Found): number => found.reduce((total, one) => total + one[of], 0);
      console.log(
        `relays went on with ${sum("connections")} connections and ${sum("links")} links, and closed ${sum("closed")} connections,`,
        `of which ${sum("lostOnLinks")} with a request that programs had on a link`,
      );
    } finally {
      await reviews.close();
    }
    return true;
  },
});
