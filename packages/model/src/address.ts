import { isIPv4, isIPv6 } from "node:net";

/**
 * The bytes of an IP address in network byte order: 4 for IPv4, 16 for IPv6.
 * @returns undefined if the text is no address (zone ids are none).
 */
export function parseAddress(text: string): Uint8Array | undefined {
  if (isIPv4(text)) return placed(text.split(".").map(Number));
  if (!isIPv6(text) || text.includes("%")) return undefined;
  return placed(parseIPv6(text));
}

/** Small, since one address keeps the whole block. */
const blockBytes = 256;

let block = new ArrayBuffer(blockBytes);
let used = 0;

/** There are very many addresses; each in a buffer of its own would take twice the memory. */
function placed(bytes: readonly number[]): Uint8Array {
  if (used + bytes.length > blockBytes) {
    block = new ArrayBuffer(blockBytes);
    used = 0;
  }
  const view = new Uint8Array(block, used, bytes.length);
  used += bytes.length;
  view.set(bytes);
  return view;
}

const groupsOf = (part: string): number[] =>
  part === "" ? [] : part.split(":").map((group) => Number.parseInt(group, 16));

function parseIPv6(text: string): number[] {
  // The URL parser writes RFC 5952 with hexadecimal groups only, also for ::ffff:1.2.3.4.
  const [head = "", tail] = new URL(`http://[${text}]/`).hostname.slice(1, -1).split("::");
  const before = groupsOf(head);
  const after = groupsOf(tail ?? "");
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => 0);
  return [...before, ...zeros, ...after].flatMap((group) => [group >> 8, group & 0xff]);
}

export type Family = "IPv4" | "IPv6";

/** The first 12 bytes of ::ffff:a.b.c.d (RFC 4291, 2.5.5.2). */
const mappedPrefix = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff);

/**
 * The form that the maps use: 16 bytes, IPv4 as IPv4-mapped IPv6.
 * @throws RangeError for anything but 4 or 16 bytes.
 */
export function mapAddress(address: Uint8Array): Uint8Array {
  if (address.length === 16) return address;
  if (address.length !== 4) throw new RangeError(`an address has 4 or 16 bytes, found ${address.length}`);
  const mapped = new Uint8Array(16);
  mapped.set(mappedPrefix);
  mapped.set(address, 12);
  return mapped;
}

/** The family that a caller must dial to reach `address` (4 or 16 bytes; a mapped address is IPv4). */
export function familyOf(address: Uint8Array): Family {
  const mapped = mapAddress(address);
  return mappedPrefix.every((byte, i) => mapped[i] === byte) ? "IPv4" : "IPv6";
}

/** As people write it: 10.0.0.1, fd00::1 (RFC 5952). */
export function formatAddress(address: Uint8Array): string {
  const mapped = mapAddress(address);
  if (familyOf(mapped) === "IPv4") return mapped.subarray(12).join(".");
  const groups = Array.from({ length: 8 }, (_, i) => ((mapped[2 * i] ?? 0) << 8) | (mapped[2 * i + 1] ?? 0));
  // The URL parser applies the shortening rules of RFC 5952.
  return new URL(`http://[${groups.map((group) => group.toString(16)).join(":")}]/`).hostname.slice(1, -1);
}

/** "10.0.0.1:80", "[fd00::1]:80". */
export function formatEndpoint(address: Uint8Array, port: number): string {
  const text = formatAddress(address);
  return isIPv6(text) ? `[${text}]:${port}` : `${text}:${port}`;
}

/** The one way of many to write an address; text that is none stays as it is. */
export function canonicalAddress(text: string): string {
  const address = text.includes(":") ? parseAddress(text) : undefined;
  return address === undefined ? text : formatAddress(address);
}
