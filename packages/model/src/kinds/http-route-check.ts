import type { FieldPath, Problem } from "../config-object.ts";
import { Findings } from "./check.ts";
import type { HttpRouteFilter, HttpRouteRule } from "./http-route.ts";
import type { HttpRouteObject } from "./index.ts";

/** What the Gateway API asks of an HTTPRoute beyond its schema. */
export function checkHttpRoute(object: HttpRouteObject): Problem[] {
  const findings = new Findings(object);
  object.body.spec.rules.forEach((rule, i) => checkRule(rule, ["rules", i], findings));
  return findings.problems;
}

/** Type of a filter → its field. */
const filterFields: Readonly<Record<string, keyof HttpRouteFilter>> = {
  RequestHeaderModifier: "requestHeaderModifier",
  ResponseHeaderModifier: "responseHeaderModifier",
  RequestRedirect: "requestRedirect",
  RequestMirror: "requestMirror",
  URLRewrite: "urlRewrite",
  CORS: "cors",
  ExternalAuth: "externalAuth",
  ExtensionRef: "extensionRef",
};

function checkRule(
  { filters, backendRefs, matches }: HttpRouteRule,
  path: FieldPath,
  findings: Findings,
): void {
  checkFilters(filters, [...path, "filters"], findings);
  const types = new Set(filters.map(({ type }) => type));
  if (types.has("RequestRedirect") && (backendRefs.length > 0 || types.has("URLRewrite"))) {
    findings.error(path, "a RequestRedirect excludes backendRefs and URLRewrite");
  }
  const replacesPrefix = filters.some(
    ({ requestRedirect, urlRewrite }) => (requestRedirect ?? urlRewrite)?.path?.type === "ReplacePrefixMatch",
  );
  const isPrefix = (type = "PathPrefix"): boolean => type === "PathPrefix";
  if (replacesPrefix && !matches.every((match) => isPrefix(match.path?.type))) {
    findings.error([...path, "matches"], "ReplacePrefixMatch needs a PathPrefix in every match");
  }
  backendRefs.forEach((backend, i) => {
    const at = [...path, "backendRefs", i];
    checkFilters(backend.filters, [...at, "filters"], findings);
    if (backend.kind === "Service" && backend.port === undefined)
      findings.error([...at, "port"], "is required");
    if (backend.kind === "Service" && backend.name.includes(".")) {
      findings.error([...at, "name"], `"${backend.name}" is not the name of a Service`);
    }
  });
}

function checkFilters(filters: readonly HttpRouteFilter[], path: FieldPath, findings: Findings): void {
  filters.forEach((filter, i) => {
    const field = filterFields[filter.type];
    if (field === undefined) {
      findings.error(
        [...path, i, "type"],
        `"${filter.type}" is none of ${Object.keys(filterFields).join(", ")}`,
      );
    } else if (filter[field] === undefined) {
      findings.error([...path, i], `type ${filter.type} needs ${field}`);
    }
  });
}
