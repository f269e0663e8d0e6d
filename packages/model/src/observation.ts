import { toJson } from "@bufbuild/protobuf";
import { type Observation, type ObservedRequest, ObservedRequestSchema } from "@keelson/protos/telemetry";

/** Which requests are wanted; see the message's fields. */
export type WantedRequests = Pick<Observation, "every" | "from" | "to" | "status" | "route">;

/** Beside those of `debugPaths`: what it answers goes on. */
export const observePath = "/debug/keelson/observe";

/** One line of what is answered to those who observe: JSON, and in it one of these; an empty line says that all is well. */
export type ObservationLine =
  | { readonly node: string; readonly request: unknown }
  | { readonly node: string; readonly lost: number }
  /** The node tells no more. */
  | { readonly node: string; readonly ended: string };

/** How long such an answer may be silent before an empty line says that it goes on, in milliseconds. */
export const observationSilenceMs = 15_000;

/** Lines with their ends. */
export function observationLines(node: string, requests: readonly ObservedRequest[], lost: number): string {
  const lines: ObservationLine[] = requests.map((request) => ({
    node,
    request: toJson(ObservedRequestSchema, request),
  }));
  if (lost > 0) lines.push({ node, lost });
  return lines.map((line) => `${JSON.stringify(line)}\n`).join("");
}

/** @throws RangeError saying what would be right */
export function parseSample(text: string): number {
  const every = Number(/^(?:1\/)?(\d{1,9})$/.exec(text)?.[1] ?? Number.NaN);
  if (!(every >= 1)) throw new RangeError(`a sample of "${text}": expected such as 1/100`);
  return every;
}

/** @throws RangeError saying what would be right */
export function parseStatus(text: string): string {
  if (!/^[1-9](xx|\d\d)$/i.test(text))
    throw new RangeError(`a status of "${text}": expected such as 503 or 5xx`);
  return text.toLowerCase();
}

/** As a query, which {@link observationOf} reads. */
export function observationQuery({ every, ...texts }: WantedRequests): URLSearchParams {
  const given = Object.entries(texts).filter(([, text]) => text !== "");
  return new URLSearchParams([["sample", `1/${every}`], ...given]);
}

/** @throws RangeError naming what is wrong */
export function observationOf(query: URLSearchParams): WantedRequests {
  const status = query.get("status") ?? "";
  return {
    every: parseSample(query.get("sample") ?? "1"),
    from: query.get("from") ?? "",
    to: query.get("to") ?? "",
    status: status === "" ? "" : parseStatus(status),
    route: query.get("route") ?? "",
  };
}

/** Whether a request is one that is wanted, whatever the sample. */
export function isWanted(wanted: Omit<WantedRequests, "every">, request: ObservedRequest): boolean {
  const { from, to, status, route } = wanted;
  return (
    (from === "" || isCaller(from, request.source)) &&
    (to === "" || isService(to, request)) &&
    (status === "" || isStatus(status, request.status)) &&
    (route === "" || route === request.route)
  );
}

function isCaller(from: string, source: string): boolean {
  if (from.endsWith("/")) return source.startsWith(from);
  const name = from.includes("/") ? source : source.slice(source.indexOf("/") + 1);
  return name === from || name.startsWith(`${from}-`);
}

function isService(to: string, { service, port }: ObservedRequest): boolean {
  const [, host = to, wantedPort] = /^(.*):(\d+)$/.exec(to) ?? [];
  if (wantedPort !== undefined && Number(wantedPort) !== port) return false;
  return service === host || service.startsWith(`${host}.`);
}

const isStatus = (wanted: string, status: number): boolean =>
  wanted.endsWith("xx")
    ? wanted.startsWith(Math.floor(status / 100).toString())
    : wanted === status.toString();
