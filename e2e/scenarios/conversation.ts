// Requests one after the other on connections that are kept, and where they went.
import { type Ask, type CallerAnswer, KeepAliveCaller } from "../world/keep-alive-caller.ts";
import { count, type Tally } from "../world/tally.ts";
import type { Family, ReviewsWorld } from "./reviews-world.ts";

/** The part of a route that says where requests go. */
export const to = (version: string, weight?: number) => ({
  destination: { host: "reviews", subset: version },
  ...(weight === undefined ? {} : { weight }),
});
export const allTo = (version: string) => ({ route: [to(version)] });

/** Who answered, by version; the status, where that is not 200; the error, where there is no answer. */
function outcome(reviews: ReviewsWorld, answer: CallerAnswer): string {
  if (answer.error !== undefined) return answer.error;
  if (answer.status !== 200) return String(answer.status);
  const { pod } = JSON.parse(answer.body) as { pod: string };
  return reviews.world.pods.get(pod)?.labels["version"] ?? pod;
}

export class Conversation {
  readonly outcomes: Tally = {};
  /** Ports of the caller: one for each connection. */
  readonly ports = new Set<number>();
  readonly peers = new Set<string>();
  private readonly reviews: ReviewsWorld;
  private readonly caller: KeepAliveCaller;
  private readonly target: Ask;

  constructor(reviews: ReviewsWorld, caller: KeepAliveCaller, target: Ask) {
    this.reviews = reviews;
    this.caller = caller;
    this.target = target;
  }

  /** @returns what came of it, see `outcome`. */
  async ask(more: Partial<Ask> = {}): Promise<string> {
    const answer = await this.caller.ask({ ...this.target, ...more });
    const found = outcome(this.reviews, answer);
    count(this.outcomes, found);
    if (answer.error === undefined) {
      this.ports.add(answer.localPort);
      this.peers.add(answer.peer);
    }
    return found;
  }

  async askTimes(times: number): Promise<void> {
    for (let i = 0; i < times; i++) await this.ask();
  }
}

/** Runs with a program in the caller's pod that has connections which are kept. */
export async function conversing(
  reviews: ReviewsWorld,
  family: Family,
  talk: (conversation: Conversation, target: Ask) => Promise<void>,
): Promise<void> {
  await using caller = await KeepAliveCaller.start(reviews.caller);
  const { host, port } = reviews.target(family);
  await talk(new Conversation(reviews, caller, { host, port }), { host, port });
}
