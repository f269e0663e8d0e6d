import { readFile } from "node:fs/promises";
import { until } from "../world/until.ts";
import type { TortureWorld } from "./torture-world.ts";

/** What a node's traffic holds. */
export interface Memory {
  /** TCP sockets in the caller's network, those in TIME_WAIT left out. */
  readonly sockets: number;
  /** Of all TCP sockets of the machine, bytes in their queues. */
  readonly queues: number;
  /** Slab memory of the machine that cannot be reclaimed, bytes. */
  readonly slab: number;
  /** The relay's resident memory, bytes. */
  readonly relay: number;
}

const pageBytes = 4096;

/**
 * How much more than before may be left once all is quiet: other programs of the machine have memory, too, and the relay keeps
 * connections to endpoints for the next callers.
 */
const slackOf = (keptConnections: number): Memory => ({
  sockets: keptConnections,
  queues: 2 ** 23,
  slab: 2 ** 26,
  relay: 2 ** 27,
});

const numberIn = (text: string, expression: RegExp): number =>
  Number(expression.exec(text)?.[1] ?? Number.NaN);

export async function memoryOf(torture: TortureWorld): Promise<Memory> {
  const { relay } = await torture.status();
  const sleeper = torture.callerPid;
  const [own4, own6, meminfo, relayStatus] = await Promise.all(
    [
      `/proc/${sleeper}/net/sockstat`,
      `/proc/${sleeper}/net/sockstat6`,
      "/proc/meminfo",
      `/proc/${relay?.pid}/status`,
    ].map((file) => readFile(file, "utf8")),
  );
  return {
    sockets: numberIn(own4 ?? "", /^TCP: inuse (\d+)/m) + numberIn(own6 ?? "", /^TCP6: inuse (\d+)/m),
    queues: pageBytes * numberIn(own4 ?? "", /^TCP: .* mem (\d+)/m),
    slab: 1024 * numberIn(meminfo ?? "", /^SUnreclaim:\s+(\d+)/m),
    relay: 1024 * numberIn(relayStatus ?? "", /^VmRSS:\s+(\d+)/m),
  };
}

/** Waits until the memory is back at what it was, but for some slack. @throws Error that says what is not */
export async function memoryIsBack(
  torture: TortureWorld,
  before: Memory,
  keptConnections: number,
): Promise<void> {
  const slack = slackOf(keptConnections);
  await until(
    async () => {
      const now = await memoryOf(torture);
      const over = (Object.keys(slack) as (keyof Memory)[]).filter(
        (what) => !(now[what] <= before[what] + slack[what]),
      );
      if (over.length === 0) return true;
      throw new Error(over.map((what) => `${what} ${now[what]}, before ${before[what]}`).join("; "));
    },
    { what: "memory to return to where it was", everyMs: 250 },
  );
}

export const memoryText = ({ sockets, queues, slab, relay }: Memory): string =>
  `${sockets} sockets, ${mebibytes(queues)} in queues, ${mebibytes(slab)} slab, ${mebibytes(relay)} relay`;

export const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
