import type { Endpoint, Model, Service } from "@keelson/model";
import type { DebugState } from "../debug-state.ts";
import { json, type Page, type PageRequest } from "../page.ts";
import type { ProxyConnection } from "../proxy-connection.ts";
import { accountOf, endpointJson, serviceJson } from "./service-json.ts";

const servicesOf = ({ pipeline }: DebugState): Service[] => [...(pipeline?.model.services.values() ?? [])];

/** Hostname → namespace → the registry that the endpoints are from → endpoints. */
function shards({ pipeline, clusterId }: DebugState): object {
  const { model } = pipeline ?? {};
  if (model === undefined) return {};
  const entries = [...model.endpoints].flatMap(([hostname, endpoints]) => {
    const service = model.services.get(hostname);
    return service === undefined
      ? []
      : [[hostname, { [service.namespace]: shard(service, endpoints, model, clusterId) }]];
  });
  return Object.fromEntries(entries) as object;
}

function shard(service: Service, endpoints: readonly Endpoint[], model: Model, clusterId: string): object {
  const registry = service.object.kind === "Service" ? "Kubernetes" : "External";
  const { trustDomain } = model.mesh;
  const accounts = endpoints.map((endpoint) => accountOf(endpoint, trustDomain)).filter(Boolean);
  return {
    Shards: {
      [`${registry}/${clusterId}`]: endpoints.map((endpoint) =>
        endpointJson(endpoint, clusterId, trustDomain),
      ),
    },
    ServiceAccounts: Object.fromEntries([...new Set(accounts)].sort().map((account) => [account, {}])),
  };
}

/** The services that a proxy stands behind, and by which port. */
function targets({ proxy, namespace }: ProxyConnection, { pipeline, clusterId }: DebugState): object[] {
  const name = `${namespace}/${proxy.split(".")[0] ?? ""}`;
  const { model } = pipeline ?? {};
  return [...(model?.endpoints ?? [])].flatMap(([hostname, endpoints]) => {
    const service = model?.services.get(hostname);
    if (service === undefined) return [];
    return endpoints
      .filter(({ workload }) => workload === name)
      .map(({ port: targetPort, portName }) => {
        const { name: ownName = portName, port } = service.ports.find((each) => each.name === portName) ?? {};
        return {
          Service: serviceJson(service, clusterId),
          Port: { name: ownName, port, TargetPort: targetPort },
        };
      });
  });
}

const endpointShards = (request: PageRequest): ReturnType<Page["answer"]> =>
  json(shards(request.state), request);

/** Services and their endpoints. */
export const registryPages: readonly Page[] = [
  {
    name: "registryz",
    help: "Every service",
    answer: (request) => {
      const { state } = request;
      return json(
        servicesOf(state).map((service) => serviceJson(service, state.clusterId)),
        request,
      );
    },
  },
  { name: "endpointShardz", help: "Every endpoint, by service", answer: endpointShards },
  { name: "endpointz", help: "The same under its old name", answer: endpointShards },
  {
    name: "instancesz",
    help: "The services that each connected proxy stands behind",
    answer: (request) => {
      const { state } = request;
      const found = state.connections.map((connection) => [connection.proxy, targets(connection, state)]);
      return json(Object.fromEntries(found), request);
    },
  },
  {
    name: "clusterz",
    help: "The clusters whose services are read",
    answer: (request) =>
      json([{ id: request.state.clusterId, secretName: "", syncStatus: "synced" }], request),
  },
  { name: "networkz", help: "Gateways between networks", answer: (request) => json(null, request) },
  { name: "mcsz", help: "Services of several clusters", answer: (request) => json(null, request) },
];
