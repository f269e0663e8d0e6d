import { formatLabels } from "@keelson/protos";
import type { RouteDestination, RouteTable } from "@keelson/protos/route";
import type { ServiceIndex } from "../index/services.ts";

import type { LabelParts } from "./service-clusters.ts";

const destinationsOf = ({ http, tcp, tls }: RouteTable): RouteDestination[] =>
  [...http, ...tcp, ...tls].flatMap(({ destinations }) => destinations);

const mirrorsOf = ({ http }: RouteTable): RouteDestination[] =>
  http.flatMap(({ mirrors }) => mirrors.flatMap(({ destination }) => destination ?? []));

/** The labels by which some tables choose endpoints, by hostname. */
export function labelPartsOf(tables: Iterable<RouteTable>, services: ServiceIndex): LabelParts {
  const parts = new Map<string, Map<string, Readonly<Record<string, string>>>>();
  for (const table of new Set(tables)) {
    for (const { hostname, subset, labels } of [...destinationsOf(table), ...mirrorsOf(table)]) {
      const key = formatLabels(labels);
      if (subset !== "" || key === "") continue;
      const name = services.get(hostname)?.hostname ?? hostname;
      const known = parts.get(name) ?? new Map<string, Readonly<Record<string, string>>>();
      parts.set(name, known.set(key, labels));
    }
  }
  return parts;
}
