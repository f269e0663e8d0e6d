import type { Socket } from "node:net";

/** Bytes that heads of the callers of one network may have together while they are not whole; in memory they take up to eight times that. */
export const mostUnfinished = 16_777_216;

/** A head of which some was read. */
export interface UnfinishedHead {
  readonly socket: Socket;
  /** Whose callers are counted together. */
  readonly network: object;
  /** So far. */
  readonly bytes: number;
}

/** @returns those that are to go, the longest first, so that each network keeps to its bound; empty is usual */
export function beyond(heads: readonly UnfinishedHead[], most: number): UnfinishedHead[] {
  const left = new Map<object, number>();
  for (const { network, bytes } of heads) left.set(network, (left.get(network) ?? 0) + bytes);
  const isBeyond = ({ network, bytes }: UnfinishedHead): boolean => {
    const sum = left.get(network) ?? 0;
    if (sum <= most) return false;
    left.set(network, sum - bytes);
    return true;
  };
  if ([...left.values()].every((sum) => sum <= most)) return [];
  return heads.toSorted((one, other) => other.bytes - one.bytes).filter(isBeyond);
}
