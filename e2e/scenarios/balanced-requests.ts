// Endpoints that programs choose for the requests that they take, by what a DestinationRule says of a service's balancer.
import assert from "node:assert/strict";
import { tallyKey, tallyValue } from "@keelson/bpf";
import { PinFolder } from "@keelson/bpf-applier";
import { BpfMap } from "bpf-maps-native";
import { killOnce } from "../relay-deaths/deaths.ts";
import { type Ask, KeepAliveCaller } from "../world/keep-alive-caller.ts";
import { versionSubsets, virtualService } from "../world/objects.ts";
import { type Conversation, conversing, to } from "./conversation.ts";
import type { Family, ReviewsWorld } from "./reviews-world.ts";
import type { Scenario } from "./scenario.ts";
import { assertShares } from "./shares.ts";
import { during, sized, untilTaken } from "./taken.ts";

const versions = ["v1", "v2", "v3"];

/** All versions are endpoints of one destination, beside another route, so that requests are looked at. */
function underPolicy(reviews: ReviewsWorld, trafficPolicy?: object): Promise<string> {
  return reviews.httpRoutesUnder(
    trafficPolicy,
    { match: [{ uri: { prefix: "/other" } }], route: [{ destination: { host: "reviews", subset: "v1" } }] },
    { route: [{ destination: { host: "reviews" } }] },
  );
}

/** Asks so often, and expects that programs take at least so many of the requests. @returns who answered, in order */
async function takenTimes(
  reviews: ReviewsWorld,
  talk: Conversation,
  times: number,
  least = times,
): Promise<string[]> {
  const answers: string[] = [];
  const { taken } = await during(reviews, async () => {
    for (let i = 0; i < times; i++) answers.push(await talk.ask(sized));
  });
  assert.ok(taken >= least, `programs took ${taken} of ${times} requests`);
  return answers;
}

/** Half of the requests go to v1, which finds users by a cookie that they get; half to `other`, where nothing is asked for. */
function underCookie(reviews: ReviewsWorld, other: string): Promise<string> {
  const consistentHash = { httpCookie: { name: "user", ttl: "0s" } };
  const keyed = {
    name: "v1",
    labels: { version: "v1" },
    trafficPolicy: { loadBalancer: { consistentHash } },
  };
  const subsets = [keyed, { name: other, labels: { version: other } }];
  const host = { ...versionSubsets("reviews", []), spec: { host: "reviews", subsets } };
  const routes = virtualService("reviews", [{ route: [to("v1", 50), to(other, 50)] }]);
  return reviews.world.change((config) => config.write("rules", [host, routes]));
}

/** How many requests balancers count as under way. */
async function underWay(reviews: ReviewsWorld): Promise<number> {
  const pins = await PinFolder.find(reviews.world.applier().node);
  using tallies = BpfMap.openPinned(pins.map("tallies"));
  const { count, keys, values } = await tallies.batchLookup();
  let sum = 0;
  for (let at = 0; at < count; at++) {
    const { endpoint } = tallyKey.decode(keys.subarray(at * tallyKey.size));
    // Else it is a turn.
    if (endpoint !== 0n) sum += Number(tallyValue.decode(values.subarray(at * tallyValue.size)).count);
  }
  return sum;
}

/** Runs while programs have a request of another caller under way that nobody answers. */
async function whileHeld(reviews: ReviewsWorld, family: Family, body: () => Promise<void>): Promise<void> {
  await using holder = await KeepAliveCaller.start(reviews.caller);
  const { host, port } = reviews.target(family);
  // One that the relay carries, as no link was idle, is in no tally: another connection tries again.
  for (let connection = 0; (await underWay(reviews)) === 0; connection++) {
    const ask = { host, port, connection: `held ${connection}` };
    const { taken } = await during(reviews, async () => {
      for (let i = 0; i < 5; i++) await holder.ask({ ...ask, ...sized });
    });
    if (taken === 0) continue;
    const before = await reviews.world.applier().status();
    holder.ask({ ...ask, path: "/held" }).catch(() => undefined);
    await reviews.until(async () => {
      const after = await reviews.world.applier().status();
      return ["switched_requests", "passed_no_link", "passed_behind"].some(
        (name) => after.statistics[name] !== before.statistics[name],
      );
    });
  }
  assert.equal(await underWay(reviews), 1);
  await body();
}

export const balancedRequestsScenarios: readonly Scenario[] = [
  {
    name: "endpoints have their turns in requests that programs take",
    async run(reviews, family) {
      await underPolicy(reviews, { loadBalancer: { simple: "ROUND_ROBIN" } });
      await conversing(reviews, family, async (talk) => {
        await untilTaken(reviews, talk);
        const answers = await takenTimes(reviews, talk, 12);
        const round = answers.slice(0, 3);
        assert.deepEqual(round.toSorted(), versions);
        assert.deepEqual(answers, [...round, ...round, ...round, ...round]);
      });
    },
  },
  {
    name: "a user's requests have one endpoint, by a hash of a header, a cookie, a parameter or the caller's address, whoever carries them",
    async run(reviews, family) {
      const users = Array.from({ length: 6 }, (_, i) => `user-${i}`);
      const keys = [
        [{ httpHeaderName: "x-user" }, (user: string) => ({ ...sized, headers: { "X-User": user } })],
        [
          { httpCookie: { name: "user" } },
          (user: string) => ({ ...sized, headers: { cookie: `a=b; user=${user}` } }),
        ],
        [{ httpQueryParameterName: "user" }, (user: string) => ({ path: `/?user=${user}&/sized` })],
        [{ useSourceIp: true, maglev: { tableSize: 101 } }, () => sized],
      ] as const;
      // But for the caller's address, all is the same for both families.
      for (const [consistentHash, asks] of family === "IPv4" ? keys : keys.slice(-1)) {
        await underPolicy(reviews, { loadBalancer: { consistentHash } });
        await conversing(reviews, family, async (talk) => {
          const found = new Set<string>();
          for (const user of users) {
            const ask: Partial<Ask> = asks(user);
            await untilTaken(reviews, talk, ask);
            const version = await talk.ask(ask);
            // No program takes one with this header.
            const passed = { ...ask, headers: { ...ask.headers, TE: "trailers" } };
            const { taken } = await during(reviews, async () => {
              assert.equal(await talk.ask(passed), version);
              assert.equal(await talk.ask(ask), version);
            });
            assert.equal(taken, 1);
            found.add(version);
          }
          assert.ok(found.size > 1 || "useSourceIp" in consistentHash, `all have ${[...found].join(", ")}`);
        });
      }
    },
  },
  {
    name: "destinations get their shares where the relay has to give a cookie, or has all as one of them has no endpoint",
    // What decides is the same for both families.
    over: ["IPv4"],
    async run(reviews, family) {
      const times = reviews.scale.connections;
      const withCookie = { ...sized, headers: { cookie: "user=a" } };
      await underCookie(reviews, "v2");
      await conversing(reviews, family, async (talk) => {
        const { taken } = await during(reviews, () => talk.askTimes(times));
        assert.equal(taken, 0);
        assertShares(talk.outcomes, { v1: 0.5, v2: 0.5 });
      });
      await conversing(reviews, family, async (talk) => {
        await untilTaken(reviews, talk, withCookie);
        assertShares(talk.outcomes, { v1: 0.5, v2: 0.5 });
      });
      await underCookie(reviews, "v9");
      await conversing(reviews, family, async (talk) => {
        const { taken } = await during(reviews, async () => {
          for (let i = 0; i < times; i++) await talk.ask(withCookie);
        });
        assert.equal(taken, 0);
        assertShares(talk.outcomes, { v1: 0.5, 503: 0.5 });
      });
    },
  },
  {
    name: "an endpoint with a request under way gets fewer that programs take, until its caller is gone, whatever becomes of the relay",
    // What is counted is the same for both families.
    over: ["IPv4"],
    async run(reviews, family) {
      // That is so where no rule says otherwise.
      await underPolicy(reviews);
      await conversing(reviews, family, async (talk) => {
        await untilTaken(reviews, talk);
        await whileHeld(reviews, family, async () => {
          const times = reviews.scale.connections;
          // For want of a link to where one is held, a few may be the relay's.
          const answers = await takenTimes(reviews, talk, times, times * 0.9);
          const shares = versions.map((version) => answers.filter((one) => one === version).length / times);
          // A ninth, as it must be drawn twice; by turns or at random it were a third.
          assert.ok(Math.min(...shares) < 0.22, `shares are ${shares.join(", ")}`);
        });
        await reviews.until(async () => (await underWay(reviews)) === 0);
        await whileHeld(reviews, family, async () => {
          await killOnce(reviews);
          assert.equal(await underWay(reviews), 1);
        });
        await reviews.until(async () => (await underWay(reviews)) === 0);
      });
    },
  },
];
