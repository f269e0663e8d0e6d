import { grpcStatusOf } from "@keelson/model";
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

const noMishap: Mishap = { delayMs: 0, abort: undefined };

/** Envoy's, by which many a test of Istio's users knows an injected fault. */
const body = "fault filter abort";

function abortOf({ httpStatus, grpcStatus }: Fault): OwnAnswer | undefined {
  if (httpStatus !== 0) return { status: httpStatus, body };
  const number = grpcStatusOf(grpcStatus);
  // Who does not speak gRPC gets the text, and no other status (Envoy).
  return number === undefined ? undefined : { status: 200, grpcStatus: number, body };
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
