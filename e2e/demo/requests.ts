// Requests on one connection, each of which goes where the rules send it.
import { port } from "../bookinfo/roles.ts";
import type { Applier } from "../world/applier.ts";
import { KeepAliveCaller } from "../world/keep-alive-caller.ts";
import type { Pod } from "../world/pod.ts";
import { type Switched, switchedDuring } from "../world/switched.ts";
import { count } from "../world/tally.ts";
import { added, connectionsOf } from "./connections.ts";
import { type Counted, disagreements } from "./pages.ts";

/** Where requests come from: the pod that asks for reviews when a page is asked for. */
export const asker = "productpage-v1";

/** What came of requests on one connection. */
export interface RequestsResult extends Counted {
  readonly requests: number;
  /** Connections that the caller has made. */
  readonly callerConnections: number;
  /** What programs have carried of them, as their maps say. */
  readonly byPrograms: Switched;
  /** Why the node's programs do less than they were asked to; undefined: they do not. */
  readonly lowerBecause: string | undefined;
}

/** Sends requests one after the other, every second one to a path below /two. */
export async function askOnOneConnection(
  from: Pod,
  applier: Applier,
  requests: number,
): Promise<RequestsResult> {
  const edges = connectionsOf(await applier.edges());
  const [traffic, ports] = [{ answers: {}, failures: {} }, new Set<number>()];
  const byPrograms = await switchedDuring(applier, () => ask(from, requests, traffic, ports));
  return {
    requests,
    traffic,
    connections: added(edges, connectionsOf(await applier.edges())),
    callerConnections: ports.size,
    byPrograms,
    lowerBecause: (await applier.status()).sockets.lowerBecause,
  };
}

/** Counts what comes of them in `traffic`, and the caller's own ports, one for each connection, in `ports`. */
async function ask(
  from: Pod,
  requests: number,
  { answers, failures }: Counted["traffic"],
  ports: Set<number>,
): Promise<void> {
  await using caller = await KeepAliveCaller.start(from);
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
}

/** In a sentence: who has carried them. */
export function whoCarried({ requests, byPrograms, lowerBecause }: RequestsResult): string {
  const why = lowerBecause === undefined ? "" : ` (${lowerBecause})`;
  if (byPrograms.taken === 0) return `The relay carried all of them${why}.`;
  return (
    `The kernel's programs sent ${byPrograms.taken} of ${requests} to their pod, each on a connection that the relay keeps open,\n` +
    `   and moved ${byPrograms.moved} of the answers. The relay carried the others: it opens such connections when they are missing.`
  );
}

/** So many requests of a connection may pass before the relay has a connection to each pod. */
const fewRequests = 60;

/**
 * What is not as it should be, in words; nothing if all is well.
 * @param programsTakeRequests whether the agent was told so
 */
export function complaintsOfRequests(result: RequestsResult, programsTakeRequests: boolean): string[] {
  const { requests, callerConnections, byPrograms, lowerBecause } = result;
  const scattered =
    callerConnections === 1 ? [] : [`the requests took ${callerConnections} connections, not one`];
  const shouldTake = programsTakeRequests && lowerBecause === undefined && requests >= fewRequests;
  const idle = shouldTake && byPrograms.taken === 0 ? ["the kernel's programs took no request"] : [];
  return [...disagreements(result), ...scattered, ...idle];
}
