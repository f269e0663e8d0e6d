import type { Fault } from "@keelson/protos/route";
import { optional } from "./go-json.ts";
import type { Header } from "./match.ts";

/** A filter of HTTP listeners; `config` is its JSON. */
export interface HttpFilter {
  readonly type: "decoder" | "";
  readonly name: string;
  readonly config: object;
}

/** A filter of its own for each cluster: faults stand in listeners, not in routes. Undefined: it does nothing. */
export function faultFilter(
  cluster: string,
  { abortPercent, httpStatus, delayPercent, delayMs }: Fault,
  headers: readonly Header[],
): HttpFilter | undefined {
  const abort = httpStatus !== 0 && abortPercent !== 0;
  const delay = delayPercent !== 0;
  if (!abort && !delay) return undefined;
  const config = {
    ...(abort && { abort: { ...optional("abort_percent", whole(abortPercent)), http_status: httpStatus } }),
    ...(delay && {
      delay: {
        type: "fixed",
        ...optional("fixed_delay_percent", whole(delayPercent)),
        ...optional("fixed_duration_ms", Number(delayMs)),
      },
    }),
    ...optional("headers", headers),
    upstream_cluster: cluster,
  };
  return { type: "decoder", name: "fault", config };
}

/** These proxies know whole percents only. */
const whole = (percent: number): number => Math.trunc(percent);
