import type { Family, ReviewsWorld } from "./reviews-world.ts";

/** One thing that must hold, on any kernel. It finds the world without rules and leaves it so. */
export interface Scenario {
  readonly name: string;
  run(reviews: ReviewsWorld, family: Family): Promise<void>;
}
