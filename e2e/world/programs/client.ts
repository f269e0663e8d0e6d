// Sends traffic from inside a pod and prints what came of it, as JSON. The argument is a ClientTask as JSON.
import { setDefaultAutoSelectFamily } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { count } from "../tally.ts";
import type { ClientTask, TrafficResult } from "../traffic.ts";
import { connectedExchange, DatagramClient } from "./one-datagram.ts";
import { oneHttpRequest } from "./one-http-request.ts";

/** Who answered, and the peer's address as the socket shows it. */
export interface Exchange {
  readonly answeredBy: string;
  readonly peer: string;
}

// One address, one connect: trying a second one would be a second decision.
setDefaultAutoSelectFamily(false);

const task = JSON.parse(process.argv[2] ?? "{}") as ClientTask;
const result: TrafficResult = { answers: {}, failures: {}, peers: {} };
let left = task.count ?? Number.POSITIVE_INFINITY;

/** The function that one of the concurrent senders uses for each exchange. */
async function sender(): Promise<{ exchange: () => Promise<Exchange>; close: () => void }> {
  if (task.kind === "datagram") {
    const client = await DatagramClient.open(task);
    return { exchange: () => client.exchange(), close: () => client.close() };
  }
  const exchange = task.kind === "http" ? oneHttpRequest : connectedExchange;
  return { exchange: () => exchange(task), close: () => undefined };
}

async function sendUntilDone(): Promise<void> {
  const { exchange, close } = await sender();
  while (left > 0) {
    left -= 1;
    try {
      const { answeredBy, peer } = await exchange();
      count(result.answers, answeredBy);
      count(result.peers, peer);
    } catch (error) {
      count(result.failures, (error as NodeJS.ErrnoException).code ?? (error as Error).message);
    }
    if (task.pauseMs > 0) await delay(task.pauseMs);
  }
  close();
}

// The world ends traffic without a count by closing our standard input, which also happens if it dies.
process.stdin.on("end", () => (left = 0)).resume();
process.stdin.unref();
await Promise.all(Array.from({ length: task.concurrency }, sendUntilDone));
process.stdout.write(JSON.stringify(result), () => process.exit(0));
