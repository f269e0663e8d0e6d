import { type FieldPath, type Problem, problemOf } from "../config-object.ts";
import type { RouteRuleObject } from "./index.ts";
import { checkIstioService } from "./istio-service-check.ts";

/** What Pilot 0.2 asks of a RouteRule beyond its schema (istio/pilot 0.2.12, model/validation.go). */
export function checkRouteRule(object: RouteRuleObject): Problem[] {
  const problems: Problem[] = [];
  const error = (path: FieldPath, message: string): void => {
    problems.push(problemOf("error", object, ["spec", ...path], message));
  };
  const { destination, route, match, redirect, rewrite, httpFault, websocketUpgrade } = object.body.spec;
  checkIstioService(destination, ["destination"], error);
  if (destination.labels !== undefined) {
    error(["destination", "labels"], "a rule is for a whole service; put labels below spec.route");
  }
  if (match?.source !== undefined) checkIstioService(match.source, ["match", "source"], error);
  route.forEach(({ destination: other }, i) => {
    if (other !== undefined) checkIstioService(other, ["route", i, "destination"], error);
  });
  const sum = route.reduce((total, { weight }) => total + weight, 0);
  // A single route may leave its weight out.
  if (route.length > 0 && sum !== 100 && !(route.length === 1 && sum === 0)) {
    error(["route"], `weights add up to ${sum}, not to 100`);
  }
  if (
    redirect !== undefined &&
    (route.length > 0 || rewrite !== undefined || httpFault !== undefined || websocketUpgrade)
  ) {
    error(["redirect"], "a redirect excludes route, rewrite, httpFault and websocketUpgrade");
  }
  for (const [field, target] of Object.entries({ redirect, rewrite })) {
    if (target !== undefined && !target.uri && !target.authority) {
      error([field], "needs a uri, an authority or both");
    }
  }
  return problems;
}
