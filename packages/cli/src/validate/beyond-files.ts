import {
  type KnownObject,
  type Model,
  type ObjectMeta,
  type Problem,
  serviceNameLabel,
} from "@keelson/model";

/**
 * Whether a problem stays one if there is more than the files hold. What they do not hold may well exist: services and
 * rules, and endpoints, which people seldom write. Endpoints are judged only where the files have slices of the service
 * and the pods that those name; for labels, each must have a pod.
 */
export function holdsBeyondFiles(
  model: Model,
  objects: readonly KnownObject[],
): (problem: Problem) => boolean {
  const pods = new Set(objects.filter(({ kind }) => kind === "Pod").map(({ metadata }) => nameOf(metadata)));
  const slices = Map.groupBy(objects.filter(isSlice), serviceOfSlice);
  return ({ absent }) => {
    if (absent === undefined) return true;
    if (absent.what !== "endpoints") return false;
    const object = model.services.get(absent.hostname)?.object;
    const own = object && slices.get(nameOf(object.metadata));
    if (own === undefined || !own.flatMap(podsOfSlice).every((name) => pods.has(name))) return false;
    const endpoints = model.endpoints.get(absent.hostname) ?? [];
    return !absent.byLabels || endpoints.every(({ workload }) => workload !== "");
  };
}

type Slice = Extract<KnownObject, { kind: "EndpointSlice" }>;

const isSlice = (object: KnownObject): object is Slice => object.kind === "EndpointSlice";

const nameOf = ({ namespace, name }: Pick<ObjectMeta, "namespace" | "name">): string =>
  `${namespace}/${name}`;

const serviceOfSlice = ({ metadata: { namespace, labels } }: Slice): string =>
  nameOf({ namespace, name: labels[serviceNameLabel] ?? "" });

const podsOfSlice = ({ metadata, body }: Slice): string[] =>
  (body.endpoints ?? []).flatMap(({ targetRef }) =>
    targetRef !== undefined && (targetRef.kind ?? "Pod") === "Pod"
      ? [nameOf({ namespace: targetRef.namespace ?? metadata.namespace, name: targetRef.name })]
      : [],
  );
