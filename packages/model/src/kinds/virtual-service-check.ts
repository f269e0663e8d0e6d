import type { FieldPath, Problem } from "../config-object.ts";
import { covers, Findings, present } from "./check.ts";
import type { VirtualServiceObject } from "./index.ts";
import type { VirtualServiceHttpRoute } from "./virtual-service.ts";

/** What istiod asks of a VirtualService beyond its schema (istio/istio, pkg/config/validation). */
export function checkVirtualService(object: VirtualServiceObject): Problem[] {
  const findings = new Findings(object);
  const { hosts, gateways, http, tcp, tls } = object.body.spec;
  if (hosts.length === 0) {
    for (const field of present({ gateways, tcp, tls }, "gateways", "tcp", "tls")) {
      findings.error([field], "a VirtualService without hosts is a delegate, and has only http");
    }
  }
  checkHosts(object, findings);
  if (http.length + tcp.length + tls.length === 0) findings.error([], "needs http, tcp or tls");
  http.forEach((route, i) => checkHttpRoute(route, ["http", i], findings));
  Object.entries({ tcp, tls }).forEach(([field, routes]) =>
    routes.forEach(({ route }, i) => checkWeights(route, [field, i, "route"], findings)),
  );
  tls.forEach(({ match }, i) =>
    match.forEach(({ sniHosts }, j) => {
      const strange = sniHosts.filter((name) => !hosts.some((host) => host === name || covers(host, name)));
      if (strange.length === 0) return;
      const text = `${strange.join(", ")} is not among the hosts of the rule (${hosts.join(", ")})`;
      findings.error(["tls", i, "match", j, "sniHosts"], text);
    }),
  );
  warnUnreachable(http, findings);
  return findings.problems;
}

function checkHosts(object: VirtualServiceObject, findings: Findings): void {
  const { hosts, gateways } = object.body.spec;
  hosts.forEach((host, i) => {
    if (host === "*" && gateways.every((gateway) => gateway === "mesh")) {
      findings.error(["hosts", i], '"*" is for gateways only; inside the mesh, name the hosts');
    }
    const earlier = hosts.slice(0, i).find((other) => covers(other, host) || covers(host, other));
    if (earlier !== undefined) findings.error(["hosts", i], `${host} and ${earlier} stand for the same host`);
  });
}

function checkHttpRoute(route: VirtualServiceHttpRoute, path: FieldPath, findings: Findings): void {
  const { redirect, directResponse, rewrite, fault, delegate } = route;
  if (delegate !== undefined) {
    for (const field of present(route, "route", "redirect", "directResponse")) {
      findings.error([...path, field], "stands beside delegate, which decides instead");
    }
    return;
  }
  if (redirect !== undefined) {
    for (const field of present(route, "route", "fault", "rewrite", "directResponse")) {
      findings.error([...path, field], "stands beside redirect; use one or the other");
    }
    checkRedirect(route, path, findings);
  } else if (directResponse !== undefined) {
    for (const field of present(route, "route", "fault", "rewrite")) {
      findings.error([...path, field], "stands beside directResponse; use one or the other");
    }
  } else if (route.route.length === 0) {
    findings.error(path, "needs a route, a redirect or a directResponse");
  }
  if (route.mirror !== undefined && route.mirrors.length > 0) {
    findings.error([...path, "mirror"], "stands beside mirrors; use one or the other");
  }
  if (rewrite !== undefined) checkRewrite(rewrite, [...path, "rewrite"], findings);
  if (fault !== undefined) checkFault(fault, [...path, "fault"], findings);
  checkWeights(route.route, [...path, "route"], findings);
}

function checkRedirect(
  { redirect, match }: VirtualServiceHttpRoute,
  path: FieldPath,
  findings: Findings,
): void {
  if (redirect === undefined) return;
  const at = [...path, "redirect"];
  if (redirect.uri && redirect.prefixRewrite) findings.error(at, "takes only one of uri and prefixRewrite");
  if (redirect.port !== undefined && redirect.derivePort !== undefined) {
    findings.error(at, "takes only one of port and derivePort");
  }
  if (redirect.prefixRewrite && match.some(({ uri }) => uri !== undefined && uri.prefix === undefined)) {
    findings.error([...at, "prefixRewrite"], "needs a prefix in every match of the uri");
  }
  if (present(redirect, "uri", "prefixRewrite", "authority", "port", "derivePort", "scheme").length === 0) {
    findings.error(at, "needs a uri, prefixRewrite, authority, scheme or port");
  }
}

function checkRewrite(
  { uri, authority, uriRegexRewrite }: NonNullable<VirtualServiceHttpRoute["rewrite"]>,
  path: FieldPath,
  findings: Findings,
): void {
  if (uri && uriRegexRewrite !== undefined) findings.error(path, "takes only one of uri and uriRegexRewrite");
  if (!uri && !authority && uriRegexRewrite === undefined) {
    findings.error(path, "needs a uri, a uriRegexRewrite or an authority");
  }
}

function checkFault(
  { delay, abort }: NonNullable<VirtualServiceHttpRoute["fault"]>,
  path: FieldPath,
  findings: Findings,
): void {
  if (delay === undefined && abort === undefined) findings.error(path, "needs a delay or an abort");
  if (abort === undefined) return;
  const kinds = present(abort, "httpStatus", "grpcStatus");
  if (kinds.length > 1) findings.error([...path, "abort"], "takes only one of httpStatus and grpcStatus");
  if (kinds.length === 0)
    findings.warning([...path, "abort"], "has no effect without an httpStatus or grpcStatus");
}

function checkWeights(routes: readonly { weight: number }[], path: FieldPath, findings: Findings): void {
  if (routes.length > 1 && routes.every(({ weight }) => weight === 0)) {
    findings.error(path, "the weights add up to 0");
  }
}

function warnUnreachable(routes: readonly VirtualServiceHttpRoute[], findings: Findings): void {
  const all = routes.findIndex(({ match }) => match.length === 0);
  if (all === -1) return;
  routes.slice(all + 1).forEach((_, i) => {
    findings.warning(
      ["http", all + 1 + i],
      `is never asked: http[${all}] has no match, and takes every request`,
    );
  });
}
