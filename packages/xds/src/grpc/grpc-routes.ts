import { create } from "@bufbuild/protobuf";
import {
  type HeaderMatcher,
  HeaderMatcherSchema,
  type Route,
  RouteAction_MaxStreamDurationSchema,
  type RouteMatch,
  RouteSchema,
} from "@envoyproxy/xds-protos/envoy/config/route/v3/route_components_pb.js";
import {
  type RegexMatcher,
  RegexMatcherSchema,
} from "@envoyproxy/xds-protos/envoy/type/matcher/v3/regex_pb.js";
import { httpFilterNames } from "../envoy/listener/http-filters.ts";
import { answerOf } from "./answers.ts";

/** Filters that gRPC knows; a route with configuration for another one would be refused, and all others with it. */
const knownFilters: ReadonlySet<string> = new Set([httpFilterNames.fault]);

const escapeRegex = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");

const regexMatcher = (regex: string): RegexMatcher => create(RegexMatcherSchema, { regex });

/** One that grpc-js, which puts "^" before it and "$" behind it, holds against the whole text also where it is "a|b". */
const grouped = ({ regex }: RegexMatcher): RegexMatcher => regexMatcher(`(?:${regex})`);

type PathSpecifier = RouteMatch["pathSpecifier"];

/** A prefix of whole segments is refused as such. */
function path({ pathSpecifier, caseSensitive }: RouteMatch): PathSpecifier {
  switch (pathSpecifier.case) {
    case "pathSeparatedPrefix": {
      const anyCase = caseSensitive === false ? "(?i)" : "";
      return {
        case: "safeRegex",
        value: regexMatcher(`${anyCase}${escapeRegex(pathSpecifier.value)}(?:/.*)?`),
      };
    }
    case "safeRegex":
      return { case: "safeRegex", value: grouped(pathSpecifier.value) };
    default:
      return pathSpecifier;
  }
}

function header(matcher: HeaderMatcher): HeaderMatcher {
  const { headerMatchSpecifier: specifier } = matcher;
  const pattern = specifier.case === "stringMatch" ? specifier.value.matchPattern : undefined;
  if (specifier.case !== "stringMatch" || pattern?.case !== "safeRegex") return matcher;
  const matchPattern = { case: "safeRegex" as const, value: grouped(pattern.value) };
  return {
    ...matcher,
    headerMatchSpecifier: { case: "stringMatch", value: { ...specifier.value, matchPattern } },
  };
}

const isAbsent = (name: string): HeaderMatcher =>
  create(HeaderMatcherSchema, {
    name,
    invertMatch: true,
    headerMatchSpecifier: { case: "presentMatch", value: true },
  });

/** "Not this value" holds for calls without the header, too, which gRPC denies: there are two ways to fulfil it. */
function headerChoices(matchers: readonly HeaderMatcher[]): HeaderMatcher[][] {
  let choices: HeaderMatcher[][] = [[]];
  for (const matcher of matchers) {
    const ways = [header(matcher)];
    if (matcher.invertMatch && matcher.treatMissingHeaderAsEmpty) ways.push(isAbsent(matcher.name));
    choices = choices.flatMap((choice) => ways.map((way) => [...choice, way]));
  }
  return choices;
}

/** Whether a condition for the method holds for calls, which are all POST; undefined: that is not to be told here. */
function holdsForCalls({ headerMatchSpecifier: specifier, invertMatch }: HeaderMatcher): boolean | undefined {
  const pattern = specifier.case === "stringMatch" ? specifier.value.matchPattern : undefined;
  switch (pattern?.case) {
    case "exact":
      return (pattern.value === "POST") !== invertMatch;
    case "prefix":
      return "POST".startsWith(pattern.value) !== invertMatch;
    default:
      return undefined;
  }
}

/**
 * Conditions that are left for gRPC to look at.
 * @returns undefined if no call ever fulfils them: paths of calls have no query
 */
function openConditions({ headers, queryParameters }: RouteMatch): HeaderMatcher[] | undefined {
  const verdict = (matcher: HeaderMatcher) =>
    matcher.name === ":method" ? holdsForCalls(matcher) : undefined;
  if (queryParameters.length > 0 || headers.some((matcher) => verdict(matcher) === false)) return undefined;
  return headers.filter((matcher) => verdict(matcher) !== true);
}

/** The limit of a call's time, which gRPC reads as one of what callers may ask for. */
function bounded(action: Route["action"]): Route["action"] {
  const timeout = action.case === "route" ? action.value.timeout : undefined;
  if (action.case !== "route" || timeout === undefined) return action;
  const maxStreamDuration = create(RouteAction_MaxStreamDurationSchema, { grpcTimeoutHeaderMax: timeout });
  return { case: "route", value: { ...action.value, maxStreamDuration } };
}

/** What the route does; gRPC never answers by itself, but for a fault. */
function actionOf(route: Route, cluster: string): Pick<Route, "action" | "typedPerFilterConfig"> {
  const { action, typedPerFilterConfig } = route;
  if (action.case !== "redirect" && action.case !== "directResponse") {
    const filters = Object.entries(typedPerFilterConfig).filter(([name]) => knownFilters.has(name));
    return { action: bounded(action), typedPerFilterConfig: Object.fromEntries(filters) };
  }
  // Redirects have a status that no gRPC client follows.
  const status = action.case === "directResponse" ? action.value.status : 301;
  const answer = create(RouteSchema, {
    action: { case: "route", value: { clusterSpecifier: { case: "cluster", value: cluster } } },
    typedPerFilterConfig: { [httpFilterNames.fault]: answerOf(status) },
  });
  return { action: answer.action, typedPerFilterConfig: answer.typedPerFilterConfig };
}

/** What gRPC takes in place of a route that an Envoy takes; most routes are the same. */
function grpcRoute(route: Route, cluster: string): Route[] {
  const { match } = route;
  const conditions = match && openConditions(match);
  if (match === undefined || conditions === undefined) return [];
  const does = actionOf(route, cluster);
  return headerChoices(conditions).map((headers) => ({
    ...route,
    ...does,
    match: { ...match, pathSpecifier: path(match), headers },
  }));
}

/**
 * The same routes, in the same order, as gRPC takes them.
 * @param cluster of the service that is asked for
 */
export const grpcRoutes = (routes: readonly Route[], cluster: string): readonly Route[] =>
  routes.flatMap((route) => grpcRoute(route, cluster));
