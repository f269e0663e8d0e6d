// What callers see of it on their sockets, and what is counted.
import assert from "node:assert/strict";
import { formatEndpoint, parseAddress } from "@keelson/model";
import { total } from "../world/tally.ts";
import type { ReviewsWorld } from "./reviews-world.ts";
import type { Scenario } from "./scenario.ts";
import { assertShares } from "./shares.ts";

/** Connections, datagrams and refusals that the maps hold for the caller, by pod. */
async function counted(reviews: ReviewsWorld): Promise<Record<string, bigint>> {
  const sums: Record<string, bigint> = {};
  for (const edge of await reviews.edges()) {
    if (edge.source !== "default/caller") continue;
    const pod = edge.workload.replace(/^default\//, "") || "refused";
    sums[pod] = (sums[pod] ?? 0n) + edge.connections + edge.datagrams + edge.refused;
  }
  return sums;
}

export const socketScenarios: readonly Scenario[] = [
  {
    name: "getpeername shows the address that was dialled",
    async run(reviews, family) {
      const target = reviews.target(family);
      const { peers } = await reviews.send(target, 50);
      const dialled = formatEndpoint(parseAddress(target.host) ?? new Uint8Array(), target.port);
      assert.deepEqual(peers, { [dialled]: 50 });
    },
  },
  {
    name: "datagrams are spread and answered, by unconnected and by connected sockets",
    async run(reviews, family) {
      await reviews.weights({ v1: 75, v2: 25 });
      for (const kind of ["datagram", "connected-datagram"] as const) {
        const target = reviews.target(family, { kind });
        const result = await reviews.send(target);
        assert.deepEqual(result.failures, {});
        assertShares(reviews.byVersion(result.answers), { v1: 0.75, v2: 0.25 });
        const dialled = formatEndpoint(parseAddress(target.host) ?? new Uint8Array(), target.port);
        assert.deepEqual(Object.keys(result.peers), [dialled], `${kind}: the sender of the answers`);
      }
    },
  },
  {
    name: "a caller that dials an IPv4-mapped address gets IPv4 endpoints",
    over: ["IPv4"],
    async run(reviews, family) {
      const target = reviews.target(family);
      await reviews.weights({ v2: 100 });
      const { answers, failures } = await reviews.send({ ...target, host: `::ffff:${target.host}` }, 100);
      assert.deepEqual([answers, failures], [{ "reviews-v2": 100 }, {}]);
    },
  },
  {
    name: "the maps count exactly what the servers answered",
    async run(reviews, family) {
      const target = reviews.target(family);
      await reviews.weights({ v1: 60, v3: 30, v9: 10 });
      const before = await counted(reviews);
      const { answers, failures } = await reviews.send(target);
      const after = await counted(reviews);
      const grown = Object.fromEntries(
        Object.entries(after)
          .map(([pod, count]) => [pod, Number(count - (before[pod] ?? 0n))] as const)
          .filter(([, count]) => count > 0),
      );
      assert.deepEqual(grown, { ...answers, refused: total(failures) });
    },
  },
];
