import { visitor } from "../bookinfo/bookinfo.ts";
import { port } from "../bookinfo/roles.ts";
import type { Applier } from "../world/applier.ts";
import type { Pod } from "../world/pod.ts";
import { total } from "../world/tally.ts";
import type { TrafficResult } from "../world/traffic.ts";
import { added, type Connections, connectionsOf } from "./connections.ts";
import type { SpreadRow } from "./show.ts";

/** Who answered, and what the node counted meanwhile. */
export interface Counted {
  /** By pod of reviews, as the bodies of the answers say. */
  readonly traffic: Pick<TrafficResult, "answers" | "failures">;
  /** What was counted meanwhile, read from the kernel's maps. */
  readonly connections: readonly Connections[];
}

/** Asks for pages at the service productpage, from the visitor's pod. */
export async function askForPages(from: Pod, applier: Applier, count: number): Promise<Counted> {
  const before = connectionsOf(await applier.edges());
  const traffic = await from.send({ host: "productpage", port, answer: "reviews.pod" }, count);
  return { traffic, connections: added(before, connectionsOf(await applier.edges())) };
}

const reviews = ["reviews-v1", "reviews-v2", "reviews-v3"];

/** One row for each pod of reviews, whether it was asked or not. */
export function spreadOf({ traffic, connections }: Counted): SpreadRow[] {
  return reviews.map((pod) => ({
    pod,
    answers: traffic.answers[pod] ?? 0,
    counted: connections.filter(({ to }) => to === pod).reduce((sum, { count }) => sum + count, 0),
  }));
}

/** Where answers and maps do not say the same, or answers failed, in words; nothing if all is well. */
export function disagreements(result: Counted): string[] {
  const failed = Object.entries(result.traffic.failures).map(([why, times]) => `${times} failed: ${why}`);
  const differing = spreadOf(result)
    .filter((row) => row.answers !== row.counted)
    .map(({ pod, answers: said, counted }) => `${pod} gave ${said} answers, but the maps say ${counted}`);
  return [...failed, ...differing];
}

/** What is not as it should be with pages, in words; nothing if all is well. */
export function complaintsOf(result: Counted, requests: number): string[] {
  const { failures, answers } = result.traffic;
  const lost =
    total(answers) + total(failures) === requests ? [] : [`of ${requests} pages ${total(answers)} came`];
  const pages =
    result.connections.find(({ from, to }) => from === visitor && to === "productpage-v1")?.count ?? 0;
  const uncounted =
    pages === requests ? [] : [`the maps count ${pages} connections of the ${visitor}, not ${requests}`];
  return [...disagreements(result), ...lost, ...uncounted];
}
