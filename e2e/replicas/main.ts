// npm run e2e -- replicas [STREAMS]: replicas of the control plane that end in order and that are killed. How long do
// streams wait for the next change, and how long does the work under a lock stand still?
import { missingPeers } from "../peers/peer-cache.ts";
import { until } from "../world/until.ts";
import { ReplicasWorld } from "./replicas-world.ts";

const print = (line: string): void => void process.stdout.write(`${line}\n`);
const seconds = (ms = 0): string => `${(ms / 1000).toFixed(1)} s`;

/** A term of 30 s, and the longest pause between two looks at the lock. */
const longestLockMs = 30_000 + 7_500 * 2.2;

async function lose(
  world: ReplicasWorld,
  podName: string,
  how: { readonly name: string; readonly end: () => Promise<void> | undefined },
): Promise<void> {
  const other = [...world.replicas.keys()].find((name) => name !== podName);
  const begin = performance.now();
  const ending = how.end();
  await world.make(`after-${podName}`);
  const waits = await world.untilHeard(`after-${podName}`, begin);
  print(`${podName} ${how.name}: streams were told of the next change after ${seconds(waits[0])} to`);
  print(`  ${seconds(waits.at(-1))}, the middle one after ${seconds(waits[waits.length >> 1])}`);
  await until(async () => (await world.leader()) === other, { what: "the lock to move", everyMs: 100 });
  const lockMs = performance.now() - begin;
  print(`  ${other} leads after ${seconds(lockMs)}`);
  if ((waits.at(-1) ?? 0) > 10_000) throw new Error("a stream waited for more than 10 s");
  if (lockMs > longestLockMs + 5_000) throw new Error("the lock stood still for longer than its terms");
  await ending;
  await world.replicas.get(podName)?.stop();
  world.replicas.delete(podName);
}

async function run(streams: number): Promise<void> {
  await using world = await ReplicasWorld.start();
  await world.startReplica("istiod-a");
  await world.startReplica("istiod-b");
  world.openStreams(streams);
  await world.make("before");
  await world.untilHeard("before");
  for (const name of world.replicas.keys()) print(`${name} serves ${await world.streamsOf(name)} streams`);
  const killed = world.replicas.get("istiod-a");
  await lose(world, "istiod-a", { name: "killed", end: () => killed?.process.process.kill() });

  await Promise.all(world.callers.map((caller) => caller.close()));
  await world.startReplica("istiod-c");
  world.openStreams(streams);
  await world.untilHeard("before");
  const ended = world.replicas.get("istiod-b");
  await lose(world, "istiod-b", { name: "told to end", end: () => ended?.process.stop(30_000) });
}

const missing = await missingPeers("etcd", "kube-apiserver", "kubectl");
if (missing !== undefined) {
  process.stderr.write(`${missing}\n`);
  process.exit(1);
}
await run(Number(process.argv[2] ?? "200"));
print("all streams were served again in time, and all locks moved");
