import type { CidrRangeSchema } from "@envoyproxy/xds-protos/envoy/config/core/v3/address_pb.js";
import { formatAddress, parseAddress } from "@keelson/model";
import type { Init } from "./wire.ts";

/**
 * "10.1.2.3/8" → "10.0.0.0/8", "10.1.2.3" → "10.1.2.3/32": equal blocks get equal texts.
 * @returns undefined for what is no block.
 */
export function normaliseCidr(text: string): string | undefined {
  const [address = "", length] = text.split("/");
  const bytes = parseAddress(address);
  if (bytes === undefined) return undefined;
  if (length !== undefined && !/^\d+$/.test(length)) return undefined;
  const bits = length === undefined ? bytes.length * 8 : Number(length);
  if (bits > bytes.length * 8) return undefined;
  const masked = bytes.map((byte, i) => byte & (0xff << Math.min(8, Math.max(0, (i + 1) * 8 - bits))));
  return `${formatAddress(masked)}/${bits}`;
}

/** @param block as {@link normaliseCidr} writes it. */
export function cidrRange(block: string): Init<typeof CidrRangeSchema> {
  const [addressPrefix = "", length] = block.split("/");
  return { addressPrefix, prefixLen: Number(length) };
}
