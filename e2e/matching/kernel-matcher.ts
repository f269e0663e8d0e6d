import { matchScan, matchVerdict } from "@keelson/bpf";
import { tryObjectPath } from "@keelson/bpf/object";
import {
  type AnswerVerdict,
  answerSaysLength,
  type MatchAutomaton,
  type RelayReason,
  relayReasonOf,
  type Verdict,
} from "@keelson/compiler/automaton";
import { type BpfMap, BpfObject } from "bpf-maps-native";

const first = new Uint8Array(4);
/** Words before the bytes in `struct try_input`. */
const inputWords = 4;

/** The kernel's matcher, run over bytes that it is given in a map. */
export class KernelMatcher {
  private readonly object: BpfObject;

  private constructor(object: BpfObject) {
    this.object = object;
  }

  static async load(): Promise<KernelMatcher> {
    const object = await BpfObject.open(tryObjectPath);
    await object.load();
    return new KernelMatcher(object);
  }

  /** Puts an automaton's table in place. */
  use(automaton: MatchAutomaton): void {
    using table = this.object.map("table");
    putAutomaton(table, automaton);
  }

  /** @param automaton the one in use */
  async match(automaton: MatchAutomaton, bytes: Uint8Array): Promise<Verdict> {
    return verdictOf(await this.scan(automaton, bytes));
  }

  /** @param automaton that of answers, in use */
  async matchAnswer(automaton: MatchAutomaton, bytes: Uint8Array): Promise<AnswerVerdict> {
    return answerVerdictOf(await this.scan(automaton, bytes));
  }

  private async scan({ start, context }: MatchAutomaton, bytes: Uint8Array): Promise<Uint8Array> {
    const input = this.object.map("input");
    const value = new Uint8Array(input.info.valueSize);
    new Uint32Array(value.buffer).set([start, context, bytes.length]);
    value.set(bytes, 4 * inputWords);
    input.update(first, value);
    const { returnValue } = await this.object.program("try_match").testRun();
    if (returnValue !== 0) throw new Error(`the program ended with ${returnValue}`);
    return this.object.map("scan").lookup(first) ?? new Uint8Array();
  }

  close(): void {
    this.object.close();
  }
}

/** Writes an automaton's entries into a map of one `struct match_table`. */
export function putAutomaton(table: BpfMap, { entries }: MatchAutomaton): void {
  const value = new Uint8Array(table.info.valueSize);
  value.set(new Uint8Array(entries.buffer));
  table.update(first, value);
}

/** A `struct match_scan` that has ended, in the executor's words. */
export function verdictOf(bytes: Uint8Array): Verdict {
  const { verdict, detail, headLength, contentLength, isHead } = matchScan.decode(bytes);
  if (verdict === matchVerdict.rule.value) {
    return { rule: detail === 0 ? undefined : detail - 1, headLength, contentLength, isHead: isHead === 1 };
  }
  return { relay: relayOf(verdict, detail) };
}

/** The same of the head of an answer. */
function answerVerdictOf(bytes: Uint8Array): AnswerVerdict {
  const { verdict, detail, headLength, contentLength, status, seen } = matchScan.decode(bytes);
  if (verdict === matchVerdict.rule.value) {
    return { status, headLength, contentLength: answerSaysLength(seen) ? contentLength : undefined };
  }
  return { relay: relayOf(verdict, detail) };
}

function relayOf(verdict: number, detail: number): RelayReason {
  const relay = relayReasonOf(detail);
  if (relay === undefined) throw new Error(`the kernel's scan says ${verdict}, ${detail}`);
  return relay;
}
