import { type KnownObject, kinds } from "@keelson/model";
import { json, omitEmpty, type Page, type PageRequest, text } from "../page.ts";
import { meshJson } from "./mesh-json.ts";

/** Groups of what people configure; the others tell of services and workloads. */
const configGroups = new Set([
  "networking.istio.io",
  "security.istio.io",
  "telemetry.istio.io",
  "extensions.istio.io",
  "config.istio.io",
  "gateway.networking.k8s.io",
]);

const isConfig = ({ group }: { readonly group: string }): boolean => configGroups.has(group);

function objectJson({ kind, apiVersion, metadata, body }: KnownObject): object {
  return { kind, apiVersion, metadata: omitEmpty(metadata), ...(withoutEmptyLists(body) as object) };
}

/** Lists that were not written are empty ones by now. */
function withoutEmptyLists(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutEmptyLists);
  if (typeof value !== "object" || value === null) return value;
  const kept = Object.entries(value).filter(([, part]) => !Array.isArray(part) || part.length > 0);
  return Object.fromEntries(kept.map(([name, part]) => [name, withoutEmptyLists(part)]));
}

/** Of policies that are not read yet: none. */
const noPolicies = (kind: string, { state }: PageRequest): object => ({
  [`namespace_to_${kind}`]: {},
  root_namespace: state.pipeline?.model.mesh.rootNamespace ?? "",
});

/** Endpoint sets that proxies ask for in vain, by their names. */
function emptySets({ state }: PageRequest): object {
  const sets = [...(state.pipeline?.compiled.ir.endpointSets ?? [])];
  const empty = sets.filter(([, { endpoints }]) => endpoints.length === 0);
  return omitEmpty({
    pilot_eds_no_instances: Object.fromEntries(empty.map(([name]) => [name, {}])),
  });
}

/** The configuration as it was read. */
export const configPages: readonly Page[] = [
  {
    name: "configz",
    help: "Every object of configuration",
    answer: (request) => {
      const objects = request.state.pipeline?.objects ?? [];
      return json(objects.filter(isConfig).map(objectJson), request);
    },
  },
  {
    name: "resourcesz",
    help: "The kinds of configuration that are read",
    answer: (request) =>
      json(
        kinds.filter(isConfig).map(({ group, versions, kind }) => ({ group, version: versions[0], kind })),
        request,
      ),
  },
  {
    name: "mesh",
    help: "The mesh configuration",
    answer: (request) => {
      const { pipeline } = request.state;
      return pipeline === undefined
        ? text(404, "the mesh configuration has not been read yet\n")
        : json(meshJson(pipeline.model.mesh), request);
    },
  },
  {
    name: "push_status",
    help: "What the last snapshot lacks",
    answer: (request) => json(emptySets(request), request),
  },
  {
    name: "pushcontext",
    help: "What the last snapshot was made with",
    answer: (request) => {
      const context = { NetworkGateways: null, UnresolvedGateways: null };
      return json({ AuthorizationPolicies: noPolicies("policies", request), ...context }, request);
    },
  },
  {
    name: "authorizationz",
    help: "Authorization policies",
    answer: (request) => json({ authorization_policies: noPolicies("policies", request) }, request),
  },
  {
    name: "ambientz",
    help: "What ztunnels are told",
    answer: (request) => json({ workloads: null, services: null, policies: null }, request),
  },
  {
    name: "krtz",
    help: "Collections that the configuration goes through",
    answer: (request) => json([], request),
  },
  {
    name: "inject",
    help: "Templates of the sidecar injector",
    answer: () => text(404, "no sidecars are injected here\n"),
  },
];
