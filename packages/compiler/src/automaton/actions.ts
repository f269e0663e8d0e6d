import { matchKind, matchRelay } from "@keelson/bpf";
import type { Target } from "./rows.ts";

/** Why a request is not for the kernel; `matchRelay` says it in words. */
export type RelayReason = keyof typeof matchRelay;

/** The reason of a number; undefined: there is none such. */
export function relayReasonOf(value: number): RelayReason | undefined {
  const names = Object.keys(matchRelay) as RelayReason[];
  return names.find((name) => matchRelay[name].value === value);
}

export interface Action {
  readonly kind: keyof typeof matchKind;
  /** Bits of `matchFlag`. */
  readonly flags?: number;
  /** Of a step: the symbol of the outcome. Of relay: the reason's number. */
  readonly symbol?: number;
  /** Number of the part. */
  readonly part?: number;
  /** Row where the scan goes on. */
  readonly resume?: number;
}

/** Entries of the table that one action takes the room of. */
export const entriesOfAction = 2;

/** Actions of one table, each once. */
export class Actions {
  readonly actions: Action[] = [];
  private readonly known = new Map<string, number>();

  target(action: Action): Target {
    const { kind, flags = 0, symbol = 0, part = 0, resume = 0 } = action;
    const key = `${kind}:${flags}:${symbol}:${part}:${resume}`;
    const number = this.known.get(key) ?? this.actions.push(action) - 1;
    this.known.set(key, number);
    return { action: number };
  }

  relay(reason: RelayReason): Target {
    return this.target({ kind: "relay", symbol: matchRelay[reason].value });
  }
}

/** The four words of an action in the table. */
export function actionWords(
  { kind, flags = 0, symbol = 0, part = 0, resume }: Action,
  placeOf: (row: number) => number,
): readonly number[] {
  return [matchKind[kind].value | flags, symbol, part, resume === undefined ? 0 : placeOf(resume)];
}
