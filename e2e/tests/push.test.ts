import { expect, test } from "vitest";
import { oneByOne } from "../bench/push/changers.ts";
import { scopeSize } from "../bench/push/mesh.ts";
import { measureRound } from "../bench/push/round.ts";
import { filesGround } from "../bench/push/subjects.ts";

const clients = 6;
const changes = 3;

test("every simulated sidecar gets its scope and acks each change, in both variants of ADS", {
  timeout: 60_000,
}, async () => {
  const size = { services: 2 * scopeSize, endpointsPerService: 3 };
  const ground = await filesGround(size);
  for (const variant of ["delta", "sotw"] as const) {
    const changer = oneByOne(size, clients, changes);
    const round = await measureRound(ground, { size, clients, variant, environment: {}, changer });
    const reached = round.changes.map(({ reach, clients: acked }) => [reach, acked]);
    const each = [
      ["all", clients],
      ["namespace", clients / 2],
    ];
    expect(reached).toEqual(Array.from({ length: changes }, () => each).flat());
    for (const { median, last } of round.changes) expect(last).toBeGreaterThanOrEqual(median);
    expect(round.bringUpCpuSeconds).toBeGreaterThan(0);
    expect(round.peakRssBytes).toBeGreaterThanOrEqual(round.rssBytes);
  }
});
