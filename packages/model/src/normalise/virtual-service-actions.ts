import { create, type MessageInitShape } from "@bufbuild/protobuf";
import {
  type CorsSchema,
  type DirectResponseSchema,
  type FaultSchema,
  type HeaderOperations,
  HeaderOperationsSchema,
  type Mirror,
  MirrorSchema,
  type RedirectSchema,
  type RetriesSchema,
  type RewriteSchema,
  type RouteDestination,
} from "@keelson/protos/route";
import { durationMs } from "../kinds/fields.ts";
import type { VirtualServiceHttpRoute } from "../kinds/virtual-service.ts";
import { sortedEntries, stringMatch } from "./string-match.ts";

type Written<Field extends keyof VirtualServiceHttpRoute> = NonNullable<VirtualServiceHttpRoute[Field]>;

export function redirectOf(written: Written<"redirect">): MessageInitShape<typeof RedirectSchema> {
  return {
    uri: written.uri ?? "",
    prefixRewrite: written.prefixRewrite ?? "",
    authority: written.authority ?? "",
    scheme: written.scheme ?? "",
    port: written.port ?? 0,
    portFromRequest: written.derivePort === "FROM_REQUEST_PORT",
    code: written.redirectCode ?? 301,
  };
}

export function directResponseOf({
  status,
  body,
}: Written<"directResponse">): MessageInitShape<typeof DirectResponseSchema> {
  const bytes =
    body?.bytes === undefined ? Buffer.from(body?.string ?? "", "utf8") : Buffer.from(body.bytes, "base64");
  return { status, body: Uint8Array.from(bytes) };
}

export function rewriteOf(written: Written<"rewrite">): MessageInitShape<typeof RewriteSchema> {
  return {
    uri: written.uri ?? "",
    authority: written.authority ?? "",
    regex: written.uriRegexRewrite?.match ?? "",
    substitution: written.uriRegexRewrite?.rewrite ?? "",
  };
}

export function retriesOf(written: Written<"retries">): MessageInitShape<typeof RetriesSchema> {
  const { attempts, perTryTimeout, retryOn, retryRemoteLocalities, retryIgnorePreviousHosts, backoff } =
    written;
  return {
    attempts,
    perTryTimeoutMs: durationMs(perTryTimeout ?? "0s"),
    retryOn: retryOn ?? "",
    ...(retryRemoteLocalities !== undefined && { retryRemoteLocalities }),
    ...(retryIgnorePreviousHosts !== undefined && { retryIgnorePreviousHosts }),
    backoffMs: durationMs(backoff ?? "0s"),
  };
}

/** Without a percentage, an abort is for no request, as in Istio. */
export function faultOf({ delay, abort }: Written<"fault">): MessageInitShape<typeof FaultSchema> {
  return {
    delayPercent: delay?.percentage?.value ?? delay?.percent ?? 0,
    delayMs: durationMs(delay?.fixedDelay ?? "0s"),
    abortPercent: abort?.percentage?.value ?? 0,
    httpStatus: abort?.httpStatus ?? 0,
    grpcStatus: abort?.grpcStatus ?? "",
  };
}

export function corsOf(written: Written<"corsPolicy">): MessageInitShape<typeof CorsSchema> {
  const origins =
    written.allowOrigins?.map((origin) => stringMatch(origin)) ??
    written.allowOrigin?.map((exact) => stringMatch(exact === "*" ? { regex: ".*" } : { exact })) ??
    [];
  const { allowCredentials, unmatchedPreflights } = written;
  return {
    allowOrigins: origins.filter((origin) => origin !== undefined),
    allowMethods: written.allowMethods ?? [],
    allowHeaders: written.allowHeaders ?? [],
    exposeHeaders: written.exposeHeaders ?? [],
    ...(written.maxAge !== undefined && { maxAgeMs: durationMs(written.maxAge) }),
    ...(allowCredentials !== undefined && { allowCredentials }),
    ...(unmatchedPreflights !== undefined && {
      forwardUnmatchedPreflights: unmatchedPreflights !== "IGNORE",
    }),
  };
}

/** Of all requests, unless a percentage says less; 0 means none at all. */
export function mirrorsOf(
  written: Pick<VirtualServiceHttpRoute, "mirror" | "mirrors" | "mirrorPercent" | "mirrorPercentage">,
  resolve: (destination: Written<"mirror">) => RouteDestination,
): Mirror[] {
  const { mirror, mirrors, mirrorPercent, mirrorPercentage } = written;
  const all = [
    ...(mirror === undefined
      ? []
      : [{ destination: mirror, percent: mirrorPercentage?.value ?? mirrorPercent ?? 100 }]),
    ...mirrors.map(({ destination, percentage }) => ({ destination, percent: percentage?.value ?? 100 })),
  ];
  return all
    .filter(({ percent }) => percent > 0)
    .map(({ destination, percent }) => create(MirrorSchema, { destination: resolve(destination), percent }));
}

type WrittenOperations = NonNullable<Written<"headers">["request"]>;

/** What happens to headers of requests and of responses. */
export function headersOf(
  written: Written<"headers"> | undefined,
): Partial<Record<"requestHeaders" | "responseHeaders", HeaderOperations>> {
  return {
    ...(written?.request && { requestHeaders: operationsOf(written.request) }),
    ...(written?.response && { responseHeaders: operationsOf(written.response) }),
  };
}

function operationsOf({ set, add, remove }: WrittenOperations): HeaderOperations {
  return create(HeaderOperationsSchema, {
    set: Object.fromEntries(sortedEntries(set)),
    add: Object.fromEntries(sortedEntries(add)),
    remove: remove ?? [],
  });
}
