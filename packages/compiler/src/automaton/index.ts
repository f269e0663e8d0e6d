export { type RelayReason, relayReasonOf } from "./actions.ts";
export { match, type Verdict } from "./executor.ts";
export { type MatchAutomaton, matchAutomaton } from "./match-automaton.ts";
