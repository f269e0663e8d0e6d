import { type KnownObject, type Model, type Problem, serviceNameLabel } from "@keelson/model";

/**
 * Whether a problem stays one if there is more than the files hold. What they do not hold may well exist: services and
 * rules, and endpoints, which people seldom write. Endpoints are judged only where the files have slices of the service
 * and, for labels, the pods behind them.
 */
export function holdsBeyondFiles(
  model: Model,
  objects: readonly KnownObject[],
): (problem: Problem) => boolean {
  const withSlices = new Set(objects.flatMap(serviceOfSlice));
  return ({ absent }) => {
    if (absent === undefined) return true;
    if (absent.what !== "endpoints") return false;
    const object = model.services.get(absent.hostname)?.object;
    if (object === undefined || !withSlices.has(`${object.metadata.namespace}/${object.metadata.name}`)) {
      return false;
    }
    const endpoints = model.endpoints.get(absent.hostname) ?? [];
    return !absent.byLabels || endpoints.every(({ workload }) => workload !== "");
  };
}

function serviceOfSlice({ kind, metadata: { namespace, labels } }: KnownObject): string[] {
  const name = kind === "EndpointSlice" ? labels[serviceNameLabel] : undefined;
  return name === undefined ? [] : [`${namespace}/${name}`];
}
