import { typeUrlOf } from "../../metrics/metric-type.ts";
import { anyJson } from "../any-json.ts";
import { configDump, resourcesOf } from "../config-dump.ts";
import {
  aboutProxies,
  aboutProxy,
  json,
  omitEmpty,
  type Page,
  type PageAnswer,
  type PageRequest,
  text,
} from "../page.ts";
import type { ProxyConnection } from "../proxy-connection.ts";
import { serviceJson } from "./service-json.ts";

/** @param types their short names, or type URLs */
function dumpOfTypes(
  request: PageRequest,
  connection: ProxyConnection,
  types: readonly string[],
): PageAnswer {
  const typeUrls = new Set(types.map(typeUrlOf));
  const configs = [...typeUrls].flatMap((typeUrl) =>
    resourcesOf(connection, typeUrl).map(({ any }) => anyJson(any)),
  );
  return json(omitEmpty({ configs }), request);
}

const ofType = (type: string): Page => ({
  name: `${type}z`,
  help: `What the proxy proxyID=… should hold of ${type.toUpperCase()}`,
  answer: (request) => aboutProxy(request, (connection) => dumpOfTypes(request, connection, [type])),
});

function dump(request: PageRequest, connection: ProxyConnection): PageAnswer {
  const types = request.query.get("types") ?? "";
  if (types !== "") return dumpOfTypes(request, connection, types.split(","));
  const withEndpoints = request.query.has("include_eds");
  const configs = configDump(connection, request.state.pushVersion, { withEndpoints });
  return json({ configs: configs.map(anyJson) }, request);
}

/** The services that a proxy has clusters of. */
function scope({ state }: PageRequest, connection: ProxyConnection): object {
  const clusters = connection.resources(typeUrlOf("cds")).map(({ name }) => name.split("|"));
  const hostnames = new Set(
    clusters.flatMap(([direction, , , host]) => (direction === "outbound" ? [host] : [])),
  );
  const services = [...(state.pipeline?.model.services.values() ?? [])]
    .filter(({ hostname }) => hostnames.has(hostname))
    .map((service) => serviceJson(service, state.clusterId));
  return { namespace: connection.namespace, services, version: state.pushVersion };
}

/** Telemetry of all namespaces, or of one proxy: there is none. */
function telemetry(request: PageRequest): PageAnswer {
  const nothing = { Metrics: [], Logging: [], Tracing: [] };
  const rootNamespace = request.state.pipeline?.model.mesh.rootNamespace ?? "";
  return aboutProxies(request, () => {
    const all = { telemetries: { namespace_to_telemetries: {}, root_namespace: rootNamespace } };
    return json((request.query.get("proxyID") ?? "") === "" ? all : nothing, request);
  });
}

/** Type URL → name → bytes of all that is held by anybody who is connected. */
function held({ state }: PageRequest): Map<string, Map<string, number>> {
  const byType = new Map<string, Map<string, number>>();
  for (const connection of state.connections) {
    for (const typeUrl of connection.watches.keys()) {
      const bytes = byType.get(typeUrl) ?? new Map<string, number>();
      byType.set(typeUrl, bytes);
      for (const { name, body } of connection.resources(typeUrl)) bytes.set(name, body.length);
    }
  }
  return byType;
}

/** 1,500: "1.5kB". */
function byteCount(bytes: number): string {
  if (bytes < 1000) return `${bytes}B`;
  const power = Math.min(Math.floor(Math.log10(bytes) / 3), 6);
  return `${(bytes / 1000 ** power).toFixed(1)}${"kMGTPE".charAt(power - 1)}B`;
}

function sizes(request: PageRequest): PageAnswer {
  const totals = [...held(request)].map(([typeUrl, byName]): [string, number] => [
    typeUrl,
    [...byName.values()].reduce((sum, bytes) => sum + bytes, 0),
  ]);
  const total = totals.reduce((sum, [, bytes]) => sum + bytes, 0);
  const entries = [["total", total] as const, ...totals];
  return json(Object.fromEntries(entries.map(([name, bytes]) => [name, byteCount(bytes)])), request);
}

/** What proxies should hold. */
export const dumpPages: readonly Page[] = [
  {
    name: "config_dump",
    help: "What the proxy proxyID=… should hold, as its own page config_dump says it; types=cds,lds,… and include_eds",
    forAllNamespaces: true,
    answer: (request) => aboutProxy(request, (connection) => dump(request, connection)),
  },
  { ...ofType("eds"), forAllNamespaces: true },
  { ...ofType("nds"), forAllNamespaces: true },
  ofType("ecds"),
  {
    name: "sidecarz",
    help: "The services that the proxy proxyID=… sees",
    answer: (request) => aboutProxy(request, (connection) => json(scope(request, connection), request)),
  },
  { name: "telemetryz", help: "Telemetry settings; proxyID=… for one proxy's", answer: telemetry },
  {
    name: "cachez",
    help: "The resources that are made once for all who get them",
    answer: (request) => {
      const asked = (name: string): boolean => (request.query.get(name) ?? "") !== "";
      if (asked("clear")) {
        request.state.clearCache();
        return text(200, "Cache cleared\n");
      }
      if (asked("sizes")) return sizes(request);
      return json(
        Object.fromEntries([...held(request)].map(([type, names]) => [type, [...names.keys()]])),
        request,
      );
    },
  },
];
