import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { HttpMatchSchema, type StringMatchSchema } from "@keelson/protos/match";
import { type PortRoute, PortRouteSchema, ServicePortSchema } from "@keelson/protos/policy";
import { HttpRouteSchema } from "@keelson/protos/route";
import type { TrafficPolicySchema } from "@keelson/protos/traffic-policy";
import { PortRouter } from "../port-router.ts";
import type { Caller, Decision, Forward, RequestHead } from "../types.ts";

type Init<Schema extends Parameters<typeof create>[0]> = Extract<
  MessageInitShape<Schema>,
  { readonly $typeName?: never }
>;
export type RouteInit = Init<typeof HttpRouteSchema>;
export type MatchInit = Init<typeof HttpMatchSchema>;
export type PolicyInit = Init<typeof TrafficPolicySchema>;
type TextInit = Init<typeof StringMatchSchema>;

export const exact = (value: string): TextInit => ({ how: { case: "exact", value } });
export const prefix = (value: string): TextInit => ({ how: { case: "prefix", value } });
export const regex = (value: string): TextInit => ({ how: { case: "regex", value } });

const dialledPort = 9080;
const setOf = (subset: string): string =>
  `outbound|${dialledPort}|${subset}|reviews.default.svc.cluster.local`;

/** A route as the compiler sends it: sets stand beside destinations, named after their subsets. */
export function portRoute(init: RouteInit, policy?: PolicyInit): PortRoute {
  const route = create(HttpRouteSchema, init);
  const place = (subset: string, weight: number) => ({
    endpointSet: setOf(subset),
    weight,
    ...(policy && { policy }),
  });
  return create(PortRouteSchema, {
    route,
    destinations: route.destinations.map(({ subset, weight }) => place(subset, weight)),
    mirrors: route.mirrors.map(({ destination }) => place(destination?.subset ?? "", 0)),
  });
}

export function routerOf(...routes: readonly PortRoute[]): PortRouter {
  const port = create(ServicePortSchema, { port: dialledPort, routes: [...routes] });
  return new PortRouter({ port });
}

export const to = (...subsets: readonly string[]) => subsets.map((subset) => ({ subset, weight: 1 }));

export interface Question extends Partial<Omit<RequestHead, "rawHeaders">> {
  readonly headers?: readonly string[];
  readonly caller?: Partial<Caller>;
  readonly random?: () => number;
}

/** What a router says of a request; a plain GET where nothing else is said. */
export function ask(router: PortRouter, question: Question = {}): Decision {
  const { headers = [], caller, random = Math.random, ...rest } = question;
  const authority = rest.authority ?? "reviews:9080";
  const head = {
    method: "GET",
    path: "/",
    scheme: "http" as const,
    ...rest,
    authority,
    rawHeaders: ["Host", authority, ...headers],
  };
  return router.route(head, { workload: undefined, address: "10.0.0.9", port: 40000, ...caller }, random);
}

/** @throws Error if the request is answered otherwise */
export function forwarded(router: PortRouter, question: Question = {}): Forward {
  const decision = ask(router, question);
  if (decision.kind === "forward") return decision;
  throw new Error(`answered ${decision.status}`);
}

/** The subset that a request goes to, or the status of the answer. */
export function placeOf(router: PortRouter, question: Question = {}): string | number {
  const decision = ask(router, question);
  return decision.kind === "answer"
    ? decision.status
    : (decision.destination.endpointSet.split("|")[2] ?? "");
}
