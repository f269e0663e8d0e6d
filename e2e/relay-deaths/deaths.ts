import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Family, ReviewsWorld } from "../scenarios/reviews-world.ts";
import type { ApplierStart } from "../world/applier.ts";
import { killProcesses, makeCgroup } from "../world/cgroups.ts";
import { Callers, type CallersResult, type CallersTask } from "./callers.ts";

export interface DeathsScale extends Pick<CallersTask, "busy" | "pausing" | "idle" | "fresh" | "paths"> {
  /** How often somebody is killed. */
  readonly deaths: number;
  /** Milliseconds between two deaths, from the time that all is as it was. */
  readonly aliveMs: number;
}

/** @param result of all so far */
type OnDeath = (death: number, result: CallersResult) => void;

/**
 * Kills the relay under load, again and again: nobody is refused, no answer is wrong, and nothing is lost but what it had under
 * way.
 *
 * @param onDeath told after each
 */
export function killRelay(
  reviews: ReviewsWorld,
  family: Family,
  scale: DeathsScale,
  onDeath?: OnDeath,
): Promise<CallersResult> {
  const kill = (): Promise<void> => killOnce(reviews);
  const underWay = scale.busy + scale.pausing + scale.fresh;
  return underDeaths(reviews, family, { ...scale, kill, mostLost: underWay }, onDeath);
}

/** Kills the relay. @param meanwhile what is done before there is another one @returns once there is, in the networks of all pods */
export async function killOnce(
  reviews: ReviewsWorld,
  meanwhile: () => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  const pid = await relayPid(reviews);
  process.kill(pid, "SIGKILL");
  await meanwhile();
  await anotherRelay(reviews, pid);
}

/** Kills the agent under load, and starts it again: its relay is the same all the time, and nothing is lost. */
export async function killAgent(
  reviews: ReviewsWorld,
  family: Family,
  scale: DeathsScale,
  onDeath?: OnDeath,
): Promise<CallersResult> {
  const pid = await relayPid(reviews);
  const kill = async (): Promise<void> => {
    await reviews.world.applier().kill();
    await reviews.startApplier();
    assert.equal(await relayPid(reviews), pid);
  };
  return underDeaths(reviews, family, { ...scale, kill, mostLost: 0 }, onDeath);
}

/**
 * Kills the agent under load, and starts one after the other in its place of which none can go on with the relay of the one before:
 * each has a relay of its own, and nothing is lost.
 *
 * @param onStart told after each
 */
export function replaceAgent(
  reviews: ReviewsWorld,
  family: Family,
  callers: Omit<DeathsScale, "deaths" | "aliveMs">,
  starts: readonly ApplierStart[],
  onStart: (number: number) => Promise<void>,
): Promise<CallersResult> {
  let number = 0;
  const kill = async (): Promise<void> => {
    const pid = await relayPid(reviews);
    await reviews.world.applier().kill();
    await reviews.startApplier(starts[number]);
    assert.notEqual(await relayPid(reviews), pid);
    await onStart(number++);
  };
  return underDeaths(reviews, family, { ...callers, deaths: starts.length, aliveMs: 0, kill, mostLost: 0 });
}

/**
 * Has agents take the node over from each other under load, as the pods of a DaemonSet do, each in a container of its own that is
 * ended as a whole once the next one serves: each has a relay of its own, and nothing is lost.
 */
export function takeOver(
  reviews: ReviewsWorld,
  family: Family,
  callers: Omit<DeathsScale, "deaths" | "aliveMs">,
  containers: number,
): Promise<CallersResult> {
  const { world } = reviews;
  const { pid: first = 0 } = world.applier();
  let endBefore = (): unknown => process.kill(first, "SIGKILL");
  let number = 0;
  const kill = async (): Promise<void> => {
    const pid = await relayPid(reviews);
    const container = join(world.systemCgroup, `container-${number++}`);
    await makeCgroup(container);
    await reviews.startApplier({ cgroup: container, takesOver: true });
    // Until then it may be the one before that answers.
    await anotherRelay(reviews, pid);
    await endBefore();
    endBefore = () => killProcesses(container);
  };
  return underDeaths(reviews, family, { ...callers, deaths: containers, aliveMs: 0, kill, mostLost: 0 });
}

/** What relays have said, each as it followed one that was killed. */
export async function foundByRelays(reviews: ReviewsWorld): Promise<readonly Found[]> {
  const text = await readFile(reviews.world.applier().place.logFile, "utf8");
  return [...text.matchAll(said)].map((match) => {
    const [connections = 0, links = 0, closed = 0, lostOnLinks = 0] = match.slice(1).map(Number);
    return { connections, links, closed, lostOnLinks };
  });
}

/** What a relay made of what the one before had. */
export interface Found {
  /** That it goes on with. */
  readonly connections: number;
  readonly links: number;
  /** Connections that it closed. */
  readonly closed: number;
  /** Of those, with a request that programs had put on a link. */
  readonly lostOnLinks: number;
}

const said =
  /bpf-relay: goes on with (\d+) connections and (\d+) links of the relay before; had to close (\d+) connections, (\d+) of them/g;

interface Deaths extends DeathsScale {
  /** Resolves when all is as it was. */
  readonly kill: () => Promise<void>;
  /** Requests in one death. */
  readonly mostLost: number;
}

async function underDeaths(
  reviews: ReviewsWorld,
  family: Family,
  { deaths, aliveMs, kill, mostLost, ...callers }: Deaths,
  onDeath: OnDeath = () => undefined,
): Promise<CallersResult> {
  const { host, port } = reviews.target(family);
  await using talking = await Callers.start(reviews.caller, { host, port, ...callers });
  const enough = callers.busy + callers.pausing + callers.fresh;
  let before = await talking.result();
  for (let death = 1; death <= deaths; death++) {
    await kill();
    const after = await talking.result();
    const since = performance.now();
    assert.deepEqual(after.wrong, []);
    assert.equal(after.refused, 0);
    assert.equal(after.closedBetween, 0);
    assert.ok(after.lost - before.lost <= mostLost, `${after.lost - before.lost} requests lost at once`);
    onDeath(death, after);
    before = after;
    const goesOn = async (): Promise<boolean> =>
      performance.now() - since >= aliveMs && (await talking.result()).answers >= after.answers + enough;
    await reviews.until(goesOn);
  }
  return before;
}

/** Resolves when a relay runs that is not this one, and listens in all pods. */
export function anotherRelay(reviews: ReviewsWorld, pid: number): Promise<void> {
  return reviews.until(async () => {
    const { relay } = await reviews.world.applier().status();
    return relay?.pid !== undefined && relay.pid !== pid && relay.networks >= reviews.world.pods.size;
  });
}

/** Of the relay's process. */
export async function relayPid(reviews: ReviewsWorld): Promise<number> {
  const { relay } = await reviews.world.applier().status();
  assert.ok(relay?.pid, "no relay runs");
  return relay.pid;
}
