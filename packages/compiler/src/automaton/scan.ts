import {
  matchAny,
  matchEndOfHead,
  matchFirstByte,
  matchFlag,
  matchKind,
  matchLastByte,
  matchNext,
} from "@keelson/bpf";
import { type RelayReason, relayReasonOf } from "./actions.ts";
import { part } from "./clauses.ts";
import { type MatchAutomaton, symbolOfPart } from "./match-automaton.ts";
import { markedNumber } from "./rows.ts";

const zero = 0x30;
const nine = 0x39;

/** `struct match_scan`, and what its functions do. */
export class Scan {
  /** Why the head is not for the kernel. */
  relay: RelayReason | undefined;
  /** By its place in the list; undefined: none. */
  rule: number | undefined;
  /** 0 while the head has not ended. */
  headLength = 0;
  contentLength = 0;
  isHead = false;
  status = 0;
  /** Bits by part: the header has come. */
  seen = 0;

  private readonly entries: Uint32Array;
  private state: number;
  private context: number;
  private offset = 0;
  private valueStart = 0;
  /** What the digits of the value say that is being read. */
  private number = 0;
  private before = 0;

  constructor({ entries, start, context }: MatchAutomaton) {
    this.entries = entries;
    this.state = start;
    this.context = context;
  }

  /** Reads up to the end of the head, which these bytes must hold. */
  readAll(bytes: Uint8Array): this {
    for (const byte of bytes) {
      this.read(byte);
      if (this.relay !== undefined || this.headLength > 0) return this;
    }
    this.relay = "unfinished";
    return this;
  }

  private hasSeen(partNumber: number): boolean {
    return (this.seen & (1 << partNumber)) !== 0;
  }

  private read(byte: number): void {
    const next = this.transition(byte);
    const place = next === undefined ? undefined : markedNumber(next);
    if (next === undefined) this.relay = "byte";
    else if (place === undefined) this.state = next & ~matchNext.stays.value;
    else this.act(place);
    if (byte >= zero && byte <= nine) this.number = (Math.imul(this.number, 10) + byte - zero) >>> 0;
    this.before = byte;
    this.offset++;
  }

  /** Undefined: a byte that has no place in any head. */
  private transition(byte: number): number | undefined {
    if (byte === matchAny || byte > matchLastByte) return undefined;
    const own = this.entry(this.state, byte);
    if (own !== undefined) return own;
    const otherwise = this.entry(this.state, matchAny);
    if (otherwise === undefined || (otherwise & matchNext.fallsBack.value) === 0) {
      return byte < matchFirstByte ? undefined : otherwise;
    }
    const row = otherwise & ~matchNext.fallsBack.value;
    return this.entry(row, byte) ?? (byte < matchFirstByte ? undefined : this.entry(row, matchAny));
  }

  private entry(place: number, symbol: number): number | undefined {
    const index = 2 * (place + symbol);
    return this.entries[index] === place ? this.entries[index + 1] : undefined;
  }

  private act(place: number): void {
    const [kindAndFlags = 0, symbol = 0, partNumber = 0, resume = 0] = this.entries.subarray(2 * place);
    this.state = resume;
    switch (kindAndFlags & 0xff) {
      case matchKind.step.value:
        return this.step(kindAndFlags, symbol, partNumber);
      case matchKind.enter.value:
        return this.enter(partNumber);
      case matchKind.finish.value:
        return this.finish(kindAndFlags);
      default:
        this.relay = relayReasonOf(symbol) ?? "byte";
    }
  }

  private enter(partNumber: number): void {
    if (this.hasSeen(partNumber)) this.relay = "repeated";
    this.seen |= 1 << partNumber;
    this.valueStart = this.offset + 1;
    this.number = 0;
  }

  private step(flags: number, symbol: number, partNumber: number): void {
    const isHeaderValue = (flags & matchFlag.isHeaderValue.value) !== 0;
    if (isHeaderValue && this.before === matchFirstByte && this.offset - 1 > this.valueStart) {
      this.relay = "valueForm";
      return;
    }
    if ((flags & matchFlag.isHead.value) !== 0) this.isHead = true;
    if ((flags & matchFlag.isContentLength.value) !== 0) this.contentLength = this.number;
    if ((flags & matchFlag.isStatus.value) !== 0) this.status = this.number;
    this.context =
      this.entry(this.context, symbol) ?? this.entry(this.context, symbolOfPart(partNumber)) ?? this.context;
  }

  private finish(flags: number): void {
    if ((flags & matchFlag.isAnswer.value) === 0 && !this.hasSeen(part.host)) {
      this.relay = "noHost";
      return;
    }
    const rule = markedNumber(this.entry(this.context, matchEndOfHead) ?? 0) ?? 0;
    this.rule = rule === 0 ? undefined : rule - 1;
    this.headLength = this.offset + 1;
  }
}
