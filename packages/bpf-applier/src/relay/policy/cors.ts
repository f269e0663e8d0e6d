import type { Cors } from "@keelson/protos/route";
import { withHeader } from "./header-changes.ts";
import { type TextMatcher, textMatcher } from "./matchers.ts";
import type { ParsedRequest } from "./parsed-request.ts";
import type { RawHeaders } from "./types.ts";

/** What a rule's CORS says to one request. */
export interface CorsVerdict {
  /** The headers of a preflight's answer (200, no content); undefined: the request goes on. */
  readonly preflight: RawHeaders | undefined;
  /** What the answer's headers become, whoever answers. */
  readonly answerHeaders: (raw: RawHeaders) => RawHeaders;
}

const same = (raw: RawHeaders): RawHeaders => raw;
const goesOn: CorsVerdict = { preflight: undefined, answerHeaders: same };

const isPreflight = ({ method, headers }: ParsedRequest): boolean =>
  method === "OPTIONS" && (headers.get("access-control-request-method") ?? "") !== "";

/** The Fetch standard's CORS protocol (https://fetch.spec.whatwg.org/#http-cors-protocol) as Envoy's filter answers it. */
export function corsOf(cors: Cors | undefined): (request: ParsedRequest) => CorsVerdict {
  if (cors === undefined) return () => goesOn;
  const isAllowed = originMatcher(cors);
  const forwards = cors.forwardUnmatchedPreflights ?? true;
  return (request) => {
    const origin = request.headers.get("origin") ?? "";
    if (origin === "") return goesOn;
    const asks = isPreflight(request);
    if (!isAllowed(origin, request.effort))
      return asks && !forwards ? { ...goesOn, preflight: whatMayBeAsked(cors) } : goesOn;
    const answerHeaders = (raw: RawHeaders): RawHeaders => withCorsHeaders(raw, cors, origin);
    return { answerHeaders, preflight: asks ? answerHeaders(whatMayBeAsked(cors)) : undefined };
  };
}

/** A rule that takes "*" takes any origin. */
function originMatcher({ allowOrigins }: Cors): TextMatcher {
  const matchers = allowOrigins.flatMap((origin) => textMatcher(origin) ?? []);
  return (origin, effort) => matchers.some((matches) => matches("*", effort) || matches(origin, effort));
}

const credentials = ({ allowCredentials }: Cors): string[] =>
  allowCredentials === true ? ["access-control-allow-credentials", "true"] : [];

const listed = (name: string, values: readonly string[]): string[] =>
  values.length === 0 ? [] : [name, values.join(",")];

/** Told to any origin; without the one that says who may ask, it allows nothing. */
const whatMayBeAsked = (cors: Cors): string[] => [
  ...credentials(cors),
  ...listed("access-control-allow-methods", cors.allowMethods),
  ...listed("access-control-allow-headers", cors.allowHeaders),
  ...(cors.maxAgeMs === undefined ? [] : ["access-control-max-age", `${cors.maxAgeMs / 1000n}`]),
];

function withCorsHeaders(raw: RawHeaders, cors: Cors, origin: string): RawHeaders {
  const wanted = [
    "access-control-allow-origin",
    origin,
    ...credentials(cors),
    ...listed("access-control-expose-headers", cors.exposeHeaders),
  ];
  let result = raw;
  for (let at = 0; at < wanted.length; at += 2) {
    result = withHeader(result, wanted[at] ?? "", wanted[at + 1] ?? "");
  }
  return result;
}
