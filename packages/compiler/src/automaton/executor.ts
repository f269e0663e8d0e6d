import { matchFlag, matchKind } from "@keelson/bpf";
import { type RelayReason, relayReasonOf } from "./actions.ts";
import { part } from "./clauses.ts";
import { endOfHead, type MatchAutomaton, symbolOfPart } from "./match-automaton.ts";
import { firstByte, lastByte } from "./nondeterministic.ts";
import { anySymbol, markedNumber } from "./rows.ts";

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

const zero = 0x30;
const nine = 0x39;

/** Reads a head as `bpf/match/scan.h` does; the reference for it. */
export function match(automaton: MatchAutomaton, bytes: Uint8Array): Verdict {
  const scan = new Scan(automaton);
  for (const byte of bytes) {
    const verdict = scan.read(byte);
    if (verdict !== undefined) return verdict;
  }
  return { relay: "unfinished" };
}

/** `struct match_scan`, and what its functions do. */
class Scan {
  private readonly entries: Uint32Array;
  private state: number;
  private context: number;
  private seen = 0;
  private offset = 0;
  private valueStart = 0;
  /** What the digits of the value say that is being read. */
  private number = 0;
  private contentLength = 0;
  private before = 0;
  private isHead = false;

  constructor({ entries, start, context }: MatchAutomaton) {
    this.entries = entries;
    this.state = start;
    this.context = context;
  }

  read(byte: number): Verdict | undefined {
    const next = this.transition(byte);
    const place = next === undefined ? undefined : markedNumber(next);
    const verdict = place === undefined ? undefined : this.act(place);
    if (next === undefined) return { relay: "byte" };
    if (place === undefined) this.state = next;
    if (byte >= zero && byte <= nine) this.number = (Math.imul(this.number, 10) + byte - zero) >>> 0;
    this.before = byte;
    this.offset++;
    return verdict;
  }

  /** Undefined: a byte that has no place in any head. */
  private transition(byte: number): number | undefined {
    if (byte === anySymbol || byte > lastByte) return undefined;
    return this.entry(this.state, byte) ?? (byte < firstByte ? undefined : this.entry(this.state, anySymbol));
  }

  private entry(place: number, symbol: number): number | undefined {
    const index = 2 * (place + symbol);
    return this.entries[index] === place ? this.entries[index + 1] : undefined;
  }

  private act(place: number): Verdict | undefined {
    const [kindAndFlags = 0, symbol = 0, partNumber = 0, resume = 0] = this.entries.subarray(2 * place);
    this.state = resume;
    switch (kindAndFlags & 0xff) {
      case matchKind.step.value:
        return this.step(kindAndFlags, symbol, partNumber);
      case matchKind.enter.value:
        return this.enter(partNumber);
      case matchKind.finish.value:
        return this.finish();
      default:
        return { relay: relayReasonOf(symbol) ?? "byte" };
    }
  }

  private enter(partNumber: number): Verdict | undefined {
    if ((this.seen & (1 << partNumber)) !== 0) return { relay: "repeated" };
    this.seen |= 1 << partNumber;
    this.valueStart = this.offset + 1;
    this.number = 0;
    return undefined;
  }

  private step(flags: number, symbol: number, partNumber: number): Verdict | undefined {
    const isHeaderValue = (flags & matchFlag.isHeaderValue.value) !== 0;
    if (isHeaderValue && this.before === firstByte && this.offset - 1 > this.valueStart) {
      return { relay: "valueForm" };
    }
    if ((flags & matchFlag.isHead.value) !== 0) this.isHead = true;
    if ((flags & matchFlag.isContentLength.value) !== 0) this.contentLength = this.number;
    this.context =
      this.entry(this.context, symbol) ?? this.entry(this.context, symbolOfPart(partNumber)) ?? this.context;
    return undefined;
  }

  private finish(): Verdict {
    if ((this.seen & (1 << part.host)) === 0) return { relay: "noHost" };
    const rule = markedNumber(this.entry(this.context, endOfHead) ?? 0) ?? 0;
    return {
      rule: rule === 0 ? undefined : rule - 1,
      headLength: this.offset + 1,
      contentLength: this.contentLength,
      isHead: this.isHead,
    };
  }
}
