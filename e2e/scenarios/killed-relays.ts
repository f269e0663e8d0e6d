// What comes of connections and requests when a relay, or its agent, is killed.
import assert from "node:assert/strict";
import { anotherRelay, killAgent, killRelay, relayPid } from "../relay-deaths/deaths.ts";
import { command } from "../world/command.ts";
import { type Tally, total } from "../world/tally.ts";
import { conversing, to } from "./conversation.ts";
import type { Family, ReviewsWorld } from "./reviews-world.ts";
import type { Scenario } from "./scenario.ts";
import { assertShares } from "./shares.ts";

const missed = async (reviews: ReviewsWorld): Promise<bigint> =>
  BigInt((await reviews.world.applier().status()).statistics["relay_missing"] ?? 0);

/** Sends without end while `action` runs, which begins once connections are made. */
function duringTraffic(reviews: ReviewsWorld, family: Family, action: () => Promise<void>) {
  const decided = async (): Promise<bigint> =>
    BigInt((await reviews.world.applier().status()).statistics["decided"] ?? 0);
  // Programs that start need processors, too.
  return reviews.during(reviews.target(family, { pauseMs: 5 }), async () => {
    const before = await decided();
    await reviews.until(async () => (await decided()) > before + 10n);
    await action();
  });
}

/** Sockets in which the relay waits for connections of the caller's pod, where no other program listens. */
async function listenersOf(reviews: ReviewsWorld, family: Family): Promise<number> {
  const { namespace } = reviews.caller.place;
  const output = await command("ss", ["-N", namespace, family === "IPv4" ? "-4" : "-6", "-Hltn"]);
  return output.split("\n").filter((line) => line !== "").length;
}

/**
 * Nobody is refused, and nothing is lost but what was under way, or not yet accepted. A process that ends closes its sockets in
 * turn: a sender may lose the connection that it has, dial again and wait in a listener that is closed next, and so on. An Envoy
 * has as many listeners of one address as it has workers.
 *
 * @param listeners that the process had for the senders' connections
 */
function assertFewLost(reviews: ReviewsWorld, listeners: number, failures: Tally): void {
  const atMost = (1 + listeners) * reviews.scale.senders;
  assert.ok(total(failures) <= atMost, `${JSON.stringify(failures)} failed, ${atMost} may`);
  assert.equal(failures["ECONNREFUSED"] ?? 0, 0);
}

/** Of the relay that comes with the agent, whose connections are held. */
export const killedAndHeld: Scenario = {
  name: "a relay that is killed comes back: connections between two requests stay, who comes meanwhile waits, and none is refused",
  async run(reviews, family) {
    await reviews.httpRoutes({ route: [to("v1", 50), to("v2", 50)] });
    const missedBefore = await missed(reviews);
    const callers = { busy: 4, pausing: 8, idle: 20, fresh: 2 };
    await killRelay(reviews, family, { ...callers, deaths: 2, aliveMs: 0 });
    assert.equal(await missed(reviews), missedBefore);
  },
};

/** Of one whose connections nobody holds. */
export const killedAndMissed: Scenario = {
  name: "a relay that is killed comes back; meanwhile connections are decided once, and none is refused",
  async run(reviews, family) {
    await reviews.httpRoutes({ route: [to("v1", 50), to("v2", 50)] });
    const before = await relayPid(reviews);
    const listeners = await listenersOf(reviews, family);
    const missedBefore = await missed(reviews);
    await conversing(reviews, family, async (talk) => {
      await talk.askTimes(10);
      const { answers, failures } = await duringTraffic(reviews, family, async () => {
        process.kill(before, "SIGKILL");
        await reviews.until(async () => (await missed(reviews)) > missedBefore);
        await anotherRelay(reviews, before);
      });
      assertFewLost(reviews, listeners, failures);
      assert.deepEqual(Object.keys(reviews.byVersion(answers)).sort(), ["v1", "v2"]);
      // The connection went with it; the next request has another one.
      await talk.ask();
      assert.match(await talk.ask(), /^v[12]$/);
    });
  },
};

/** Of a relay that goes on without its agent for a while. */
export const agentKilledAndHeld: Scenario = {
  name: "an agent that is killed and starts again has the same relay: nobody is refused, no connection ends, no request is lost",
  async run(reviews, family) {
    await reviews.httpRoutes({ route: [to("v1", 50), to("v2", 50)] });
    await killAgent(reviews, family, { busy: 4, pausing: 8, idle: 20, fresh: 2, deaths: 1, aliveMs: 0 });
    await conversing(reviews, family, async (talk) => {
      await talk.askTimes(40);
      assertShares(talk.outcomes, { v1: 0.5, v2: 0.5 });
      assert.equal(talk.ports.size, 1);
    });
  },
};

/** Of one that ends with its agent. */
export const agentKilledAndMissed: Scenario = {
  name: "an agent that is killed and starts again: no connection is refused, and requests are decided again",
  async run(reviews, family) {
    await reviews.httpRoutes({ route: [to("v1", 50), to("v2", 50)] });
    const listeners = await listenersOf(reviews, family);
    const { failures } = await duringTraffic(reviews, family, async () => {
      await reviews.world.applier().kill();
      await reviews.startApplier();
    });
    assertFewLost(reviews, listeners, failures);
    await conversing(reviews, family, async (talk) => {
      await talk.askTimes(40);
      assertShares(talk.outcomes, { v1: 0.5, v2: 0.5 });
      assert.equal(talk.ports.size, 1);
    });
  },
};
