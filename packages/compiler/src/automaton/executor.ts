import {
  actionFlag,
  actionKind,
  actionWords,
  markedNumber,
  type RelayReason,
  relayReasons,
} from "./actions.ts";
import { part } from "./clauses.ts";
import { endOfHead, type MatchAutomaton, symbolOfPart } from "./match-automaton.ts";
import { firstByte, lastByte } from "./nondeterministic.ts";
import { anySymbol } from "./rows.ts";

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

/** Reads a head as the kernel's program does; the reference for it. */
export function match(automaton: MatchAutomaton, bytes: Uint8Array): Verdict {
  return new Scan(automaton).run(bytes);
}

class Scan {
  private readonly automaton: MatchAutomaton;
  private state: number;
  private context: number;
  /** Parts whose header has come, by bit. */
  private seen = 0;
  private contentLength = 0;
  private valueStart = 0;
  private isHead = false;

  constructor(automaton: MatchAutomaton) {
    this.automaton = automaton;
    this.state = automaton.start;
    this.context = automaton.context;
  }

  run(bytes: Uint8Array): Verdict {
    for (const [offset, byte] of bytes.entries()) {
      const next = this.transition(byte);
      const number = markedNumber(next);
      if (number === undefined) this.state = next;
      else {
        const verdict = this.act(number, offset, bytes);
        if (verdict !== undefined) return verdict;
      }
    }
    return { relay: "a head that is not whole" };
  }

  private transition(byte: number): number {
    // The place of byte 0 holds where all others lead.
    const found = byte > anySymbol && byte <= lastByte ? this.entry(this.state, byte) : undefined;
    if (found !== undefined) return found;
    const isPlain = byte >= firstByte && byte <= lastByte;
    // Action 0 is the relay's, for a byte that has no place there.
    return isPlain ? (this.entry(this.state, anySymbol) ?? 0) : 0x8000_0000;
  }

  private entry(place: number, symbol: number): number | undefined {
    const index = 2 * (place + symbol);
    return this.automaton.entries[index] === place ? this.automaton.entries[index + 1] : undefined;
  }

  private act(number: number, offset: number, bytes: Uint8Array): Verdict | undefined {
    const words = this.automaton.actions.subarray(number * actionWords, (number + 1) * actionWords);
    const [kindAndFlags = 0, symbol = 0, partNumber = 0, resume = 0] = words;
    this.state = resume;
    switch (kindAndFlags & 0xff) {
      case actionKind.step:
        return this.step(kindAndFlags, symbol, partNumber, offset, bytes);
      case actionKind.enter:
        if ((this.seen & (1 << partNumber)) !== 0) return { relay: "a header that comes twice" };
        this.seen |= 1 << partNumber;
        this.valueStart = offset + 1;
        return undefined;
      case actionKind.finish:
        return this.finish(offset);
      default:
        return { relay: relayReasons[symbol] ?? "a byte that has no place there" };
    }
  }

  private step(
    flags: number,
    symbol: number,
    partNumber: number,
    offset: number,
    bytes: Uint8Array,
  ): Verdict | undefined {
    const before = bytes[offset - 1] ?? 0;
    if ((flags & actionFlag.isHeaderValue) !== 0 && before === firstByte && offset - 1 > this.valueStart) {
      return { relay: "a value of a form that must be looked at" };
    }
    if ((flags & actionFlag.isHead) !== 0) this.isHead = true;
    if ((flags & actionFlag.isContentLength) !== 0) {
      this.contentLength = digits(bytes.subarray(this.valueStart, offset));
    }
    this.context =
      this.entry(this.context, symbol) ?? this.entry(this.context, symbolOfPart(partNumber)) ?? this.context;
    return undefined;
  }

  private finish(offset: number): Verdict {
    if ((this.seen & (1 << part.host)) === 0) return { relay: "no host" };
    const rule = markedNumber(this.entry(this.context, endOfHead) ?? 0x8000_0000) ?? 0;
    return {
      rule: rule === 0 ? undefined : rule - 1,
      headLength: offset + 1,
      contentLength: this.contentLength,
      isHead: this.isHead,
    };
  }
}

const digits = (bytes: Uint8Array): number =>
  bytes.reduce((value, byte) => (byte === firstByte ? value : 10 * value + byte - 0x30), 0);
