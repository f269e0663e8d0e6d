import { visitor } from "../bookinfo/bookinfo.ts";
import { port } from "../bookinfo/roles.ts";
import type { Applier } from "../world/applier.ts";
import type { Pod } from "../world/pod.ts";
import { total } from "../world/tally.ts";
import type { TrafficResult } from "../world/traffic.ts";
import { added, type Connections, connectionsOf } from "./connections.ts";
import type { SpreadRow } from "./show.ts";

/** What came of a number of pages asked for. */
export interface PagesResult {
  /** By pod of reviews, as the bodies of the answers say. */
  readonly traffic: TrafficResult;
  /** What the kernel counted meanwhile, read from its maps. */
  readonly connections: readonly Connections[];
}

/** Asks for pages at the service productpage, from the visitor's pod. */
export async function askForPages(from: Pod, applier: Applier, count: number): Promise<PagesResult> {
  const before = connectionsOf(await applier.edges());
  const traffic = await from.send({ host: "productpage", port, answer: "reviews.pod" }, count);
  return { traffic, connections: added(before, connectionsOf(await applier.edges())) };
}

export const reviewsPods = ["reviews-v1", "reviews-v2", "reviews-v3"];

/** One row for each pod of reviews, whether it was asked or not. */
export function spreadOf({ traffic, connections }: PagesResult): Required<SpreadRow>[] {
  return reviewsPods.map((pod) => ({
    pod,
    answers: traffic.answers[pod] ?? 0,
    counted: connections.filter(({ to }) => to === pod).reduce((sum, { count }) => sum + count, 0),
  }));
}

/** What is not as it should be, in words; nothing if all is well. */
export function complaintsOf(result: PagesResult, requests: number): string[] {
  const { failures, answers } = result.traffic;
  const failed = Object.entries(failures).map(([reason, times]) => `${times} pages failed: ${reason}`);
  const differing = spreadOf(result)
    .filter((row) => row.answers !== row.counted)
    .map(({ pod, answers: said, counted }) => `${pod} gave ${said} answers, but the maps say ${counted}`);
  const lost =
    total(answers) + total(failures) === requests ? [] : [`of ${requests} pages ${total(answers)} came`];
  const pages =
    result.connections.find(({ from, to }) => from === visitor && to === "productpage-v1")?.count ?? 0;
  const uncounted =
    pages === requests ? [] : [`the maps count ${pages} connections of the ${visitor}, not ${requests}`];
  return [...failed, ...differing, ...lost, ...uncounted];
}
