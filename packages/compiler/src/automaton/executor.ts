import type { RelayReason } from "./actions.ts";
import { answerSaysLength } from "./answer-automaton.ts";
import type { MatchAutomaton } from "./match-automaton.ts";
import { Scan } from "./scan.ts";

export type Verdict =
  | {
      /** The rule that counts, by its place in the list; undefined: none. */
      readonly rule: number | undefined;
      /** Bytes up to the end of the empty line. */
      readonly headLength: number;
      /** Bytes of content that follow the head. */
      readonly contentLength: number;
      readonly isHead: boolean;
    }
  | { readonly relay: RelayReason };

export type AnswerVerdict =
  | {
      /** 100 to 599. */
      readonly status: number;
      /** Bytes up to the end of the empty line. */
      readonly headLength: number;
      /** As the answer says it; undefined: it does not. */
      readonly contentLength: number | undefined;
    }
  | { readonly relay: RelayReason };

/** Reads a request's head as `bpf/match/scan.h` does; the reference for it. */
export function match(automaton: MatchAutomaton, bytes: Uint8Array): Verdict {
  const scan = new Scan(automaton);
  const { relay, rule, headLength, contentLength, isHead } = scan.readAll(bytes);
  return relay === undefined ? { rule, headLength, contentLength, isHead } : { relay };
}

/** Reads an answer's head in the same way; the automaton is `answerAutomaton`'s. */
export function matchAnswer(automaton: MatchAutomaton, bytes: Uint8Array): AnswerVerdict {
  const scan = new Scan(automaton);
  const { relay, status, headLength, contentLength, seen } = scan.readAll(bytes);
  if (relay !== undefined) return { relay };
  return { status, headLength, contentLength: answerSaysLength(seen) ? contentLength : undefined };
}
