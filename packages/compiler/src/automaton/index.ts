export { type RelayReason, relayReasonOf } from "./actions.ts";
export { answerAutomaton, answerSaysLength } from "./answer-automaton.ts";
export { type Bounds, defaultBounds } from "./bounds.ts";
export { type AnswerVerdict, match, matchAnswer, type Verdict } from "./executor.ts";
export { ExpressionSet } from "./expression-set.ts";
export { type MatchAutomaton, matchAutomaton } from "./match-automaton.ts";
