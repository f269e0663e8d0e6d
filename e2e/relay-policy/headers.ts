import { questionHeader } from "./echo.ts";

/** What Envoy adds or says about itself, and what is of one connection or question only. */
const ofEnvoy = new Set([
  questionHeader,
  "x-request-id",
  "x-forwarded-proto",
  "x-envoy-attempt-count",
  "x-envoy-internal",
  "x-forwarded-for",
  "x-envoy-expected-rq-timeout-ms",
  "x-envoy-original-path",
  "x-envoy-original-host",
  "x-envoy-upstream-service-time",
  "x-envoy-decorator-operation",
  "server",
  "date",
  "connection",
  "keep-alive",
  "transfer-encoding",
  "content-length",
]);

/** A cookie that is made for a caller: whose value it has is nobody else's matter. */
const madeCookie = /="[0-9a-f]{16}"/;

/** Headers that mean the same are the same text: names without case, values of one name together. */
export function meaning(rawHeaders: readonly string[]): string {
  const values = new Map<string, string[]>();
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]?.toLowerCase() ?? "";
    if (ofEnvoy.has(name)) continue;
    const value = (rawHeaders[at + 1] ?? "").replace(madeCookie, "");
    values.set(name, [...(values.get(name) ?? []), value]);
  }
  return [...values]
    .map(([name, all]) => `${name}: ${all.join(name === "cookie" ? "; " : ",")}`)
    .sort()
    .join("\n");
}
