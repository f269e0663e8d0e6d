import type { OverFamilies } from "./families.ts";
import type { Family, ReviewsWorld } from "./reviews-world.ts";

/** One thing that must hold, on any kernel. It finds the world without rules and leaves it so. */
export interface Scenario extends OverFamilies {
  readonly name: string;
  /** @param family one of `over` */
  run(reviews: ReviewsWorld, family: Family): Promise<void>;
}
