import { type KnownObject, type Model, type RouteDestination, serviceNameLabel } from "@keelson/model";

/**
 * What is left of a model when nothing is concluded from what the files do not hold: a service that is not in them
 * may well exist, and so may its endpoints, which people seldom write. Routes of such services are left out; routes
 * to endpoints that cannot be judged count for nothing, since the compiler asks for no endpoint where the weight is 0.
 */
export function knownPart(model: Model, objects: readonly KnownObject[]): Model {
  const withSlices = new Set(objects.flatMap(serviceOfSlice));
  const canJudge = ({ hostname, labels }: RouteDestination): boolean => {
    const object = model.services.get(hostname)?.object;
    if (object === undefined || !withSlices.has(`${object.metadata.namespace}/${object.metadata.name}`)) {
      return false;
    }
    // Labels are the pods'.
    const endpoints = model.endpoints.get(hostname) ?? [];
    return Object.keys(labels).length === 0 || endpoints.every(({ workload }) => workload !== "");
  };
  const routes = [...model.routes]
    .filter(([hostname]) => model.services.has(hostname))
    .map(([hostname, all]) => {
      const judged = all.map((route) => ({
        ...route,
        ...(route.destinations && {
          destinations: route.destinations.map((to) => (canJudge(to) ? to : { ...to, weight: 0 })),
        }),
      }));
      return [hostname, judged] as const;
    });
  return { ...model, routes: new Map(routes) };
}

function serviceOfSlice({ kind, metadata: { namespace, labels } }: KnownObject): string[] {
  const name = kind === "EndpointSlice" ? labels[serviceNameLabel] : undefined;
  return name === undefined ? [] : [`${namespace}/${name}`];
}
