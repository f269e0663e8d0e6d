import type { StructDescription } from "./describe.ts";
import { connectionStructs } from "./structs/connections.ts";
import { counterStructs } from "./structs/counters.ts";
import { matchingStructs } from "./structs/matching.ts";
import { switchingStructs } from "./structs/switching.ts";

export * from "./constants.ts";
export * from "./enumerations.ts";

/**
 * Every structure that both the eBPF programs and TypeScript read or write. `generate.ts` makes the C header
 * and the TypeScript codecs from it; nothing here is typed a second time by hand.
 *
 * Addresses are 16 bytes in network order; IPv4 stands as IPv4-mapped IPv6 (RFC 4291, 2.5.5.2), so that one
 * table serves both families. Ports are in network order, as in `struct sockaddr`.
 */
export const structs: readonly StructDescription[] = [
  ...connectionStructs,
  ...switchingStructs,
  ...counterStructs,
  ...matchingStructs,
];
