import { isIPv4, isIPv6 } from "node:net";

/**
 * The bytes of an IP address in network byte order: 4 for IPv4, 16 for IPv6.
 * @returns undefined if the text is no address (zone ids are none).
 */
export function parseAddress(text: string): Uint8Array | undefined {
  if (isIPv4(text)) return Uint8Array.from(text.split(".").map(Number));
  if (!isIPv6(text) || text.includes("%")) return undefined;
  return parseIPv6(text);
}

function parseIPv6(text: string): Uint8Array {
  // The URL parser writes RFC 5952 with hexadecimal groups only, also for ::ffff:1.2.3.4.
  const [head = "", tail] = new URL(`http://[${text}]/`).hostname.slice(1, -1).split("::");
  const groups = (part: string): number[] =>
    part === "" ? [] : part.split(":").map((group) => Number.parseInt(group, 16));
  const before = groups(head);
  const after = groups(tail ?? "");
  const zeros = new Array<number>(8 - before.length - after.length).fill(0);
  return Uint8Array.from([...before, ...zeros, ...after].flatMap((group) => [group >> 8, group & 0xff]));
}
