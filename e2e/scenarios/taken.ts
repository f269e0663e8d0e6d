// What programs take of the requests in a scenario.
import type { Ask } from "../world/keep-alive-caller.ts";
import type { Conversation } from "./conversation.ts";
import type { ReviewsWorld } from "./reviews-world.ts";

/** Its answers tell their length, as programs move only such. */
export const sized = { path: "/sized" };

export interface Switched {
  readonly taken: number;
  readonly moved: number;
  readonly passedByRule: number;
}

async function switched(reviews: ReviewsWorld): Promise<Switched> {
  const { statistics } = await reviews.world.applier().status();
  const of = (name: string): number => Number(statistics[name] ?? 0);
  return {
    taken: of("switched_requests"),
    moved: of("moved_answers"),
    passedByRule: of("passed_rule"),
  };
}

/** What is counted while `action` runs. */
export async function during(reviews: ReviewsWorld, action: () => Promise<void>): Promise<Switched> {
  const before = await switched(reviews);
  await action();
  const after = await switched(reviews);
  return {
    taken: after.taken - before.taken,
    moved: after.moved - before.moved,
    passedByRule: after.passedByRule - before.passedByRule,
  };
}

/** Asks until programs take such requests one after another: the relay opens links once it sees that they are missing. */
export async function untilTaken(
  reviews: ReviewsWorld,
  talk: Conversation,
  asks: Partial<Ask> = sized,
): Promise<void> {
  const inARow = 10;
  await reviews.until(async () => {
    const { taken } = await during(reviews, async () => {
      for (let i = 0; i < inARow; i++) await talk.ask(asks);
    });
    return taken === inARow;
  });
}
