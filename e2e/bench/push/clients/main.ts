// Many simulated proxies in one process; its only argument is the options as JSON, and its parent tells it what to expect.
import { type CrowdOptions, type Expectation, type FromCrowd, monotonicMs } from "./messages.ts";
import { SimulatedProxy } from "./simulated-proxy.ts";
import type { Response } from "./variants.ts";
import { variants } from "./variants.ts";

const options = JSON.parse(process.argv[2] ?? "") as CrowdOptions;
const variant = variants[options.variant];

const tell = (message: FromCrowd): void => {
  process.send?.(message);
};

function fail(why: string): void {
  tell({ kind: "failed", why });
  process.disconnect();
  process.exit(1);
}

process.on("uncaughtException", (error) => fail(error.stack ?? error.message));
process.on("disconnect", () => process.exit());

interface Awaited {
  readonly change: number;
  readonly address: Buffer;
  /** Clients that see the cluster and have not acked the change. */
  readonly left: Set<SimulatedProxy>;
  readonly ackedAt: number[];
}

const proxies: SimulatedProxy[] = [];
/** By cluster. */
const awaited = new Map<string, Set<Awaited>>();

function onEndpoints(proxy: SimulatedProxy, resources: Response["resources"]): void {
  if (awaited.size === 0) return;
  for (const { name, bytes } of resources)
    for (const each of awaited.get(name) ?? [])
      if (bytes.includes(each.address) && each.left.delete(proxy)) acked(name, each);
}

function acked(cluster: string, each: Awaited): void {
  const { change, left, ackedAt } = each;
  ackedAt.push(monotonicMs());
  if (left.size > 0) return;
  awaited.get(cluster)?.delete(each);
  tell({ kind: "changed", change, ackedAt });
}

process.on("message", ({ change, cluster, address }: Expectation) => {
  const left = new Set(proxies.filter(({ clusters }) => clusters.includes(cluster)));
  if (left.size === 0) fail(`no client sees ${cluster}`);
  const others = awaited.get(cluster) ?? new Set();
  awaited.set(cluster, others.add({ change, address: Buffer.from(address), left, ackedAt: [] }));
  tell({ kind: "expecting", change });
});

function start(index: number): Promise<void> {
  return new Promise((resolve) => {
    const proxy: SimulatedProxy = new SimulatedProxy(
      options.port,
      index,
      index % options.namespaces,
      variant,
      {
        onUp: resolve,
        onEndpoints: (resources) => onEndpoints(proxy, resources),
        onEnd: fail,
      },
    );
    proxies.push(proxy);
  });
}

const begin = monotonicMs();
let next = 0;
async function bringUpInTurn(): Promise<void> {
  while (next < options.clients) await start(next++);
}
await Promise.all(Array.from({ length: options.atOnce }, bringUpInTurn));
tell({
  kind: "up",
  milliseconds: monotonicMs() - begin,
  receivedBytes: proxies.reduce((sum, { receivedBytes }) => sum + receivedBytes, 0),
  clusters: proxies.reduce((sum, { clusters }) => sum + clusters.length, 0),
});
