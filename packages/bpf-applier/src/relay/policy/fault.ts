import type { Fault } from "@keelson/protos/route";
import { happens } from "./chance.ts";
import type { OwnAnswer } from "./own-answer.ts";

/** What happens to one request by a rule's wish. */
export interface Mishap {
  /** Before anything else; 0: none. */
  readonly delayMs: number;
  /** After the delay, in place of all else. */
  readonly abort: OwnAnswer | undefined;
}

export const noMishap: Mishap = { delayMs: 0, abort: undefined };

/** Names of gRPC's statuses by number (https://github.com/grpc/grpc/blob/master/doc/statuscodes.md). */
const grpcStatuses = [
  "OK",
  "CANCELLED",
  "UNKNOWN",
  "INVALID_ARGUMENT",
  "DEADLINE_EXCEEDED",
  "NOT_FOUND",
  "ALREADY_EXISTS",
  "PERMISSION_DENIED",
  "RESOURCE_EXHAUSTED",
  "FAILED_PRECONDITION",
  "ABORTED",
  "OUT_OF_RANGE",
  "UNIMPLEMENTED",
  "INTERNAL",
  "UNAVAILABLE",
  "DATA_LOSS",
  "UNAUTHENTICATED",
];

/** What callers that do not speak gRPC get for each status (Envoy's grpcToHttpStatus); others: 500. */
const httpStatusByGrpc: Readonly<Record<number, number>> = {
  0: 200,
  1: 499,
  3: 400,
  4: 504,
  5: 404,
  6: 409,
  7: 403,
  8: 429,
  9: 400,
  10: 409,
  11: 400,
  12: 501,
  14: 503,
  16: 401,
};

/** Envoy's, by which many a test of Istio's users knows an injected fault. */
const body = "fault filter abort";

function abortOf({ httpStatus, grpcStatus }: Fault): OwnAnswer | undefined {
  if (httpStatus !== 0) return { status: httpStatus, body };
  const number = grpcStatuses.indexOf(grpcStatus.toUpperCase());
  return number === -1 ? undefined : { status: httpStatusByGrpc[number] ?? 500, grpcStatus: number, body };
}

/** A fault as Envoy's filter draws it: the delay first, then, on its own, the abort. */
export function faultDraw(fault: Fault | undefined): (random: () => number) => Mishap {
  if (fault === undefined) return () => noMishap;
  const { delayPercent, delayMs, abortPercent } = fault;
  const abort = abortOf(fault);
  return (random) => ({
    delayMs: happens(delayPercent, random) ? Number(delayMs) : 0,
    abort: abort !== undefined && happens(abortPercent, random) ? abort : undefined,
  });
}
