import type { Target } from "./rows.ts";
import { mark } from "./rows.ts";

/** What is to be done between two bytes. */
export const actionKind = {
  /** A part's value has ended: the context takes a step. */
  step: 0,
  /** A header's value begins that rules, or the framing, look at. */
  enter: 1,
  /** The head has ended. */
  finish: 2,
  /** The request is not for the kernel. */
  relay: 3,
} as const;

/** Bits beside an action's kind. */
export const actionFlag = {
  /** The request's method is HEAD: its answer has no body. */
  isHead: 0x100,
  /** The value may not end in a space. */
  isHeaderValue: 0x200,
  /** The value is the content's length. */
  isContentLength: 0x400,
} as const;

/** Why a request is not for the kernel. */
export const relayReasons = [
  "a byte that has no place there",
  "a method that is not known",
  "a target that is not a path",
  "a path that must be normalised first",
  "not HTTP/1.1",
  "framing, or a hop that must be looked at",
  "a header that comes twice",
  "a value of a form that must be looked at",
  "a head that is not whole",
  "no host",
] as const;
export type RelayReason = (typeof relayReasons)[number];

export interface Action {
  readonly kind: keyof typeof actionKind;
  readonly flags?: number;
  /** Of a step: the symbol of the outcome. Of relay: the reason's number. */
  readonly symbol?: number;
  /** Number of the part. */
  readonly part?: number;
  /** Row where the scan goes on. */
  readonly resume?: number;
}

/** 32-bit words of an action in the table: kind and flags, symbol, part, place of the row to go on at. */
export const actionWords = 4;

/** Actions of one table, each once. */
export class Actions {
  readonly actions: Action[] = [];
  private readonly known = new Map<string, number>();

  target(action: Action): Target {
    const { kind, flags = 0, symbol = 0, part = 0, resume = 0 } = action;
    const key = `${kind}:${flags}:${symbol}:${part}:${resume}`;
    const number = this.known.get(key) ?? this.actions.push(action) - 1;
    this.known.set(key, number);
    return { marked: number };
  }

  relay(reason: RelayReason): Target {
    return this.target({ kind: "relay", symbol: relayReasons.indexOf(reason) });
  }

  words(placeOf: (row: number) => number): Uint32Array {
    return Uint32Array.from(
      this.actions.flatMap(({ kind, flags = 0, symbol = 0, part = 0, resume }) => [
        actionKind[kind] | flags,
        symbol,
        part,
        resume === undefined ? 0 : placeOf(resume),
      ]),
    );
  }
}

/** The number of an entry that is marked; undefined for a place. */
export const markedNumber = (next: number): number | undefined =>
  (next & mark) === 0 ? undefined : (next & ~mark) >>> 0;
