import type { ParsedRequest } from "./parsed-request.ts";
import type { TimeLimit } from "./types.ts";

/** https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md: up to 8 digits and a unit. */
const grpcTimeout = /^(\d{1,8})([HMSmun])$/;
const millisecondsOf: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1000,
  m: 1,
  u: 1e-3,
  n: 1e-6,
};

/**
 * The rule's limit; where it has none, what a gRPC caller asks for itself.
 * @param ruleMs undefined or 0: none
 */
export function timeLimit(ruleMs: bigint | undefined, { headers }: ParsedRequest): TimeLimit | undefined {
  if (ruleMs !== undefined && ruleMs > 0n)
    return { milliseconds: Number(ruleMs), status: 504, grpcStatus: 14 };
  const [, digits, unit = ""] = grpcTimeout.exec(headers.get("grpc-timeout") ?? "") ?? [];
  if (digits === undefined) return undefined;
  const milliseconds = Math.max(1, Math.floor(Number(digits) * (millisecondsOf[unit] ?? 1)));
  return { milliseconds, status: 504, grpcStatus: 4 };
}
