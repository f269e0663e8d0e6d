import type { ConsistentHash, HashCookie } from "@keelson/protos/traffic-policy";
import { asText } from "./field-text.ts";
import { queryParameter } from "./matchers.ts";
import type { ParsedRequest } from "./parsed-request.ts";
import type { Caller } from "./types.ts";
import { xxhash64 } from "./xxhash64.ts";

/** What consistent hashing says of one request. */
export interface HashKey {
  /** Undefined: the request has nothing that is hashed; any endpoint is right. */
  readonly hash: bigint | undefined;
  /** Values of Set-Cookie that the answer gets, so that the next request has a key. */
  readonly cookies: readonly string[];
}

export const noKey: HashKey = { hash: undefined, cookies: [] };

/**
 * Of a request as it goes out: what rules take off it has no say. All policies of a route count together, each hash turned into those before it (Envoy's HashPolicyImpl).
 */
export function hashKey(
  policies: readonly ConsistentHash[],
  request: ParsedRequest,
  caller: Caller,
): HashKey {
  let hash: bigint | undefined;
  const cookies: string[] = [];
  for (const policy of policies) {
    const texts = keyTexts(policy, request, caller, cookies);
    if (texts.length === 0) continue;
    const before = hash ?? 0n;
    const own = texts.reduce((seed, text) => xxhash64(asText(text), seed), 0n);
    hash = BigInt.asUintN(64, (before << 1n) | (before >> 63n)) ^ own;
  }
  return { hash, cookies };
}

/** None: the request has no such key. */
function keyTexts(
  { key }: ConsistentHash,
  { headers, query }: ParsedRequest,
  caller: Caller,
  cookies: string[],
): readonly string[] {
  switch (key.case) {
    case "httpHeaderName":
      // In any order the same.
      return headers.all(key.value.toLowerCase()).toSorted();
    case "httpCookie":
      return one(
        cookieValue(headers.all("cookie"), key.value.name) ?? madeCookie(key.value, caller, cookies),
      );
    case "useSourceIp":
      return key.value ? [caller.address] : [];
    case "httpQueryParameterName":
      return one(queryParameter(query, key.value));
    default:
      return [];
  }
}

const one = (text: string | undefined): readonly string[] => (text === undefined ? [] : [text]);

/** Of the first cookie with this name; quotes around it are none of it. Undefined: none, or an empty one. */
function cookieValue(cookies: readonly string[], name: string): string | undefined {
  for (const pair of cookies.flatMap((cookie) => cookie.split(";"))) {
    const equals = pair.indexOf("=");
    if (equals === -1 || pair.slice(0, equals).trim() !== name) continue;
    const value = pair.slice(equals + 1).trim();
    const bare =
      value.length > 1 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value;
    return bare === "" ? undefined : bare;
  }
  return undefined;
}

/** The same for all requests of one connection, which may be under way together. */
function madeCookie(
  { name, path, ttlMs }: HashCookie,
  caller: Caller,
  cookies: string[],
): string | undefined {
  if (ttlMs === undefined) return undefined;
  const value = xxhash64(`${caller.address}:${caller.port}`).toString(16).padStart(16, "0");
  const age = ttlMs < 1000n ? "" : `; Max-Age=${ttlMs / 1000n}`;
  cookies.push(`${name}="${value}"${age}${path === "" ? "" : `; Path=${path}`}; HttpOnly`);
  return value;
}
