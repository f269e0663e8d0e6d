// Requests on one connection, each of which goes where the rules send it.
import { port } from "../bookinfo/roles.ts";
import type { Applier } from "../world/applier.ts";
import { KeepAliveCaller } from "../world/keep-alive-caller.ts";
import type { Pod } from "../world/pod.ts";
import { count, type Tally } from "../world/tally.ts";
import { reviewsPods } from "./pages.ts";
import type { SpreadRow } from "./show.ts";

/** Where requests come from: the pod that asks for reviews when a page is asked for. */
export const asker = "productpage-v1";

/** What came of requests on one connection. */
export interface RequestsResult {
  readonly requests: number;
  /** By pod of reviews, as the bodies of the answers say. */
  readonly answers: Tally;
  /** Requests that had no answer, or one that was not theirs, by what was wrong. */
  readonly failures: Tally;
  /** Connections that the caller has made. */
  readonly connections: number;
  /** Requests that programs have sent to a pod of reviews, and answers that they have moved, as their maps say. */
  readonly byPrograms: { readonly requests: number; readonly answers: number };
  /** Why the node's programs do less than they were asked to. */
  readonly lowerBecause?: string;
}

/** Sends requests one after the other, every second one to a path below /two. */
export async function askOnOneConnection(
  from: Pod,
  applier: Applier,
  requests: number,
): Promise<RequestsResult> {
  await using caller = await KeepAliveCaller.start(from);
  const before = await carried(applier);
  const [answers, failures, ports]: [Tally, Tally, Set<number>] = [{}, {}, new Set()];
  for (let i = 0; i < requests; i++) {
    const [path, wanted] = i % 2 === 0 ? ["/one", "reviews-v1"] : ["/two", "reviews-v2"];
    const answer = await caller.ask({ host: "reviews", port, path });
    if (answer.error !== undefined || answer.status !== 200) {
      count(failures, answer.error ?? `HTTP ${answer.status}`);
      continue;
    }
    ports.add(answer.localPort);
    const { pod } = JSON.parse(answer.body) as { pod: string };
    count(answers, pod);
    if (pod !== wanted) count(failures, `${path} was answered by ${pod}`);
  }
  const after = await carried(applier);
  return {
    requests,
    answers,
    failures,
    connections: ports.size,
    byPrograms: {
      requests: after.requests - before.requests,
      answers: after.answers - before.answers,
    },
    ...(after.lowerBecause === undefined ? {} : { lowerBecause: after.lowerBecause }),
  };
}

async function carried(
  applier: Applier,
): Promise<{ requests: number; answers: number; lowerBecause: string | undefined }> {
  const { statistics, sockets } = await applier.status();
  const of = (name: string): number => Number(statistics[name] ?? 0);
  return {
    requests: of("switched_requests"),
    answers: of("moved_answers"),
    lowerBecause: sockets.lowerBecause,
  };
}

/** One row for each pod of reviews, whether it was asked or not. */
export const rowsOf = ({ answers }: RequestsResult): SpreadRow[] =>
  reviewsPods.map((pod) => ({ pod, answers: answers[pod] ?? 0 }));

/** In a sentence: who has carried them. */
export function whoCarried({ requests, byPrograms, lowerBecause }: RequestsResult): string {
  const why = lowerBecause === undefined ? "" : ` (${lowerBecause})`;
  if (byPrograms.requests === 0) return `The relay carried all of them${why}.`;
  return (
    `The kernel's programs sent ${byPrograms.requests} of ${requests} to their pod, each on a connection that the relay keeps open,\n` +
    `   and moved ${byPrograms.answers} of the answers. The relay carried the others: it opens such connections when they are missing.`
  );
}

/** So many requests of a connection may pass before the relay has a connection to each pod. */
const fewRequests = 60;

/**
 * What is not as it should be, in words; nothing if all is well.
 * @param programsTakeRequests whether the agent was told so
 */
export function complaintsOfRequests(result: RequestsResult, programsTakeRequests: boolean): string[] {
  const { requests, failures, connections, byPrograms, lowerBecause } = result;
  const failed = Object.entries(failures).map(([reason, times]) => `${times} requests: ${reason}`);
  const scattered = connections === 1 ? [] : [`the requests took ${connections} connections, not one`];
  const isIdle = programsTakeRequests && lowerBecause === undefined && requests >= fewRequests;
  const idle = isIdle && byPrograms.requests === 0 ? ["the kernel's programs took no request"] : [];
  return [...failed, ...scattered, ...idle];
}
