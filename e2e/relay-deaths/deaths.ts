import assert from "node:assert/strict";
import type { Family, ReviewsWorld } from "../scenarios/reviews-world.ts";
import { Callers, type CallersResult, type CallersTask } from "./callers.ts";

export interface DeathsScale extends Pick<CallersTask, "busy" | "pausing" | "idle" | "fresh"> {
  /** How often the relay is killed. */
  readonly deaths: number;
  /** Milliseconds that it runs before it is killed again, from the time that it answers on. */
  readonly aliveMs: number;
}

/**
 * Kills the relay under load, again and again: nobody is refused, no answer is wrong, and nothing is lost but what it had under
 * way.
 *
 * @param onDeath told what came of all so far, after each
 */
export async function killRelay(
  reviews: ReviewsWorld,
  family: Family,
  { deaths, aliveMs, ...callers }: DeathsScale,
  onDeath: (death: number, result: CallersResult) => void = () => undefined,
): Promise<CallersResult> {
  const { host, port } = reviews.target(family);
  await using talking = await Callers.start(reviews.caller, { host, port, ...callers });
  const underWay = callers.busy + callers.pausing + callers.fresh;
  let before = await talking.result();
  for (let death = 1; death <= deaths; death++) {
    const pid = await relayPid(reviews);
    process.kill(pid, "SIGKILL");
    await reviews.until(async () => {
      const { relay } = await reviews.world.applier().status();
      return relay?.pid !== undefined && relay.pid !== pid && relay.networks >= reviews.world.pods.size;
    });
    const after = await talking.result();
    const since = performance.now();
    assert.deepEqual(after.wrong, []);
    assert.equal(after.refused, 0);
    assert.equal(after.closedBetween, 0);
    assert.ok(after.lost - before.lost <= underWay, `${after.lost - before.lost} requests lost at once`);
    onDeath(death, after);
    before = after;
    const enough = async (): Promise<boolean> =>
      performance.now() - since >= aliveMs && (await talking.result()).answers >= after.answers + underWay;
    await reviews.until(enough);
  }
  return before;
}

/** Of the relay's process. */
export async function relayPid(reviews: ReviewsWorld): Promise<number> {
  const { relay } = await reviews.world.applier().status();
  assert.ok(relay?.pid, "no relay runs");
  return relay.pid;
}
