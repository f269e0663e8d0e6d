import {
  type Absence,
  type FieldPath,
  meshGateway,
  type Problem,
  problemOf,
  type RouteOrigin,
} from "@keelson/model";
import type { RouteDestination, RouteTable } from "@keelson/protos/route";
import { routeField } from "./fields.ts";
import type { Scene } from "./scene.ts";

/**
 * What routes speak of and what is not there: services, subsets, gateways. Callers get an error from there, whatever
 * proxy or node decides for them.
 * @param told problems that are known already; of one field no second one is told
 */
export function referenceProblems(scene: Scene, told: readonly Problem[]): Problem[] {
  const known = new Set(told.map(keyOf));
  const found = [...missingGateways(scene), ...missingDestinations(scene)];
  return [...new Map(found.map((problem) => [keyOf(problem), problem])).values()].filter(
    (problem) => !known.has(keyOf(problem)),
  );
}

const keyOf = ({ object, field }: Problem): string => `${object} ${field}`;

function missingGateways({ model }: Scene): Problem[] {
  return [...model.routes.values()].flatMap(({ table, http, tcp, tls }) => {
    const object = [...http, ...tcp, ...tls][0]?.object;
    if (object === undefined) return [];
    return table.gateways.flatMap((name) => {
      if (name === meshGateway || model.gateways.has(name)) return [];
      const absent: Absence = { what: "gateway", hostname: name };
      return [problemOf("warning", object, ["spec", "gateways"], `there is no Gateway ${name}`, absent)];
    });
  });
}

function missingDestinations(scene: Scene): Problem[] {
  const problems: Problem[] = [];
  const check = (
    { hosts }: RouteTable,
    destinations: readonly RouteDestination[],
    origin: RouteOrigin | undefined,
  ): void => {
    destinations.forEach((destination, i) => {
      const missing = whyMissing(scene, destination);
      if (missing === undefined || origin === undefined) return;
      // Of a rule's own host it is told that it is not there.
      if (missing.absent?.what === "service" && hosts.includes(destination.hostname)) return;
      const path: FieldPath = routeField(origin, i);
      problems.push(problemOf("warning", origin.object, path, missing.why, missing.absent));
    });
  };
  for (const { table, http, tcp, tls } of scene.model.routes.values()) {
    table.http.forEach(({ destinations }, i) => check(table, destinations, http[i]));
    table.tcp.forEach(({ destinations }, i) => check(table, destinations, tcp[i]));
    table.tls.forEach(({ destinations }, i) => check(table, destinations, tls[i]));
  }
  return problems;
}

function whyMissing(
  scene: Scene,
  { hostname: written, subset }: RouteDestination,
): { why: string; absent?: Absence } | undefined {
  const hostname = scene.canonical(written);
  if (scene.service(hostname) === undefined) {
    return { why: `there is no service ${hostname}`, absent: { what: "service", hostname } };
  }
  if (subset === "") return undefined;
  const policies = scene.policiesOf(hostname);
  const names = policies.flatMap(({ policy }) => policy.subsets.map(({ name }) => name));
  if (names.includes(subset)) return undefined;
  return policies.length === 0
    ? {
        why: `subset "${subset}" does not exist, since there is no DestinationRule for ${hostname}`,
        absent: { what: "policy", hostname },
      }
    : { why: `no DestinationRule for ${hostname} has a subset "${subset}"` };
}
