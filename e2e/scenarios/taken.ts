// What programs take of the requests in a scenario.
import type { Ask } from "../world/keep-alive-caller.ts";
import { type Switched, switchedDuring } from "../world/switched.ts";
import type { Conversation } from "./conversation.ts";
import type { ReviewsWorld } from "./reviews-world.ts";

/** Its answers tell their length, as programs move only such. */
export const sized = { path: "/sized" };

/** What is counted while `action` runs. */
export const during = (reviews: ReviewsWorld, action: () => Promise<void>): Promise<Switched> =>
  switchedDuring(reviews.world.applier(), action);

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
