import type { HttpRoute } from "@keelson/protos/route";
import type { MatchAutomaton } from "./automaton/match-automaton.ts";
import type { ServiceExplanation } from "./explanation.ts";

/** The routes of a port, of which it is asked whether one automaton can hold their conditions. */
export interface AskedRoutes {
  /** The same object as long as the port's routes are the same. */
  readonly key: object;
  readonly routes: readonly HttpRoute[];
}

/** What an explanation says of an automaton: how large it is, or why there is none. */
export type AutomatonFit = Pick<MatchAutomaton, "size"> | { readonly unfit: string };

/** A part of an explanation, in pieces. */
export type Part<T> = Generator<AskedRoutes | undefined, T, AutomatonFit | undefined>;

/**
 * An explanation on its way, in pieces small enough to let others have their turn between them. A piece that ends in routes wants
 * to be told what becomes of their automaton, which may take seconds to make; who says nothing has it made here.
 */
export type Explaining = Part<ServiceExplanation>;

/** Makes all of it at once. */
export function finish(explaining: Explaining): ServiceExplanation {
  let step = explaining.next();
  while (step.done !== true) step = explaining.next();
  return step.value;
}
