import { buildService, podOf, type ServiceParts, serviceHostname } from "./build-service.ts";
import type { ConfigObject } from "./config-object.ts";
import { type Diagnostic, describeOrigin, type Origin } from "./diagnostic.ts";
import { type EndpointSlice, serviceNameLabel } from "./kubernetes/endpoint-slice.ts";
import type { Pod } from "./kubernetes/pod.ts";
import type { KubernetesService } from "./kubernetes/service.ts";
import type { RouteRule } from "./istio/route-rule.ts";
import type { Mesh, Route, Service, Workload } from "./mesh.ts";
import { byPrecedence, type RouteForHost, routeOf } from "./route-rule-route.ts";

export interface BuiltMesh {
  readonly mesh: Mesh;
  readonly diagnostics: readonly Diagnostic[];
}

interface Grouped {
  readonly services: { origin: Origin; value: KubernetesService }[];
  readonly slices: EndpointSlice[];
  readonly pods: Map<string, Pod>;
  readonly rules: { origin: Origin; value: RouteRule }[];
}

function group(objects: readonly ConfigObject[]): Grouped {
  const grouped: Grouped = { services: [], slices: [], pods: new Map(), rules: [] };
  for (const { origin, value } of objects) {
    switch (value.kind) {
      case "Service":
        grouped.services.push({ origin, value });
        break;
      case "EndpointSlice":
        grouped.slices.push(value);
        break;
      case "Pod":
        grouped.pods.set(`${origin.namespace}/${origin.name}`, value);
        break;
      case "RouteRule":
        grouped.rules.push({ origin, value });
        break;
    }
  }
  return grouped;
}

function workloadOf(pod: Pod): Workload {
  const { namespace, name, labels, uid } = pod.metadata;
  const { podIPs, podIP } = pod.status;
  return {
    name: `${namespace}/${name}`,
    namespace,
    addresses: podIPs.length > 0 ? podIPs.map(({ ip }) => ip) : podIP === undefined ? [] : [podIP],
    node: pod.spec.nodeName,
    serviceAccount: pod.spec.serviceAccountName,
    uid,
    labels,
  };
}

/** Remembers what it made of an object, for as long as that object lives. */
function remember<K extends object, V>(make: (key: K) => V): (key: K) => V {
  const made = new WeakMap<K, V>();
  return (key) => {
    const known = made.get(key);
    if (known !== undefined) return known;
    const value = make(key);
    made.set(key, value);
    return value;
  };
}

const byName = <T>(nameOf: (value: T) => string) => (a: T, b: T): number => (nameOf(a) < nameOf(b) ? -1 : 1);

/**
 * Makes a function from configuration objects to the mesh. It keeps what it built last, so that a service none of
 * whose parts changed is the same object as before; what it returns depends on its input alone.
 */
export function createMeshBuilder(): (objects: readonly ConfigObject[]) => BuiltMesh {
  const workload = remember(workloadOf);
  const routeFor = remember<{ origin: Origin; value: RouteRule }, RouteForHost>(({ origin, value }) =>
    routeOf(value, origin),
  );
  let before = new Map<string, { parts: ServiceParts; service: Service }>();

  return (objects) => {
    const grouped = group(objects);
    // Rules are grouped by wrapper objects that are made anew, so the object that stays is the key.
    const routes = grouped.rules.map((rule) => routeFor(wrapperOf(rule, objects)));
    const slices = groupBy(grouped.slices, sliceService);
    const routesOfHost = groupBy(
      routes.filter((route) => route.route !== undefined),
      ({ hostname }) => hostname,
    );
    const after = new Map<string, { parts: ServiceParts; service: Service }>();
    for (const service of grouped.services) {
      const hostname = serviceHostname(service.origin.namespace, service.origin.name);
      const own = slices.get(hostname) ?? [];
      const parts: ServiceParts = {
        service,
        slices: own,
        pods: podsOf(own, grouped.pods),
        routes: (routesOfHost.get(hostname) ?? []).map(({ route }) => route as Route).sort(byPrecedence),
      };
      const known = before.get(hostname);
      after.set(hostname, known !== undefined && sameParts(known.parts, parts) ? known : { parts, service: buildService(parts) });
    }
    before = after;
    return {
      mesh: {
        services: [...after.values()].map(({ service }) => service).sort(byName((service) => service.hostname)),
        workloads: [...grouped.pods.values()].map(workload).sort(byName((one) => one.name)),
      },
      diagnostics: [...routes.flatMap(({ diagnostics }) => diagnostics), ...orphans(grouped, routes, after)],
    };
  };
}
