import { createHash } from "node:crypto";

/**
 * The 64-bit number that stands for a name in the maps: the first half of a SHA-256, never 0, since 0 means
 * "none" there. It needs no allocation, so counters keep their meaning when the applier restarts. Among 150,000
 * names two are alike with a probability below one in a billion.
 */
export function identifierOf(...parts: readonly (string | number)[]): bigint {
  const identifier = createHash("sha256").update(parts.join("\0")).digest().readBigUInt64LE(0);
  return identifier === 0n ? 1n : identifier;
}
