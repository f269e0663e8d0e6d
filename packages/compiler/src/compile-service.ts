import { type DescMessage, equals, type MessageShape } from "@bufbuild/protobuf";
import type { Endpoint, Problem, Service } from "@keelson/model";
import type { Resource } from "@keelson/protos";
import type { ConnectionMatch, HttpMatch } from "@keelson/protos/match";
import {
  type EndpointSet,
  EndpointSetSchema,
  Resolution,
  type Service as ServiceMessage,
  ServiceSchema,
} from "@keelson/protos/policy";
import type { RouteTable } from "@keelson/protos/route";
import { endpointSetOf, selectEndpoints } from "./destination.ts";
import { accountsOf } from "./identities.ts";
import { isForNodes } from "./left-alone.ts";
import { endpointSetMessage, serviceMessage } from "./messages.ts";
import { nodeService } from "./node-service.ts";
import { serviceProblems } from "./problems.ts";
import { type ResolvedPort, resolvePort } from "./resolve-routes.ts";
import type { Labels, Scene } from "./scene.ts";

/** What became of one service. */
export interface CompiledService {
  readonly service: Service;
  readonly endpoints: readonly Endpoint[];
  readonly ports: Made<readonly ResolvedPort[]>;
  readonly message: Made<ServiceMessage>;
  /** What nodes are told of it; undefined for what they leave alone. */
  readonly forNodes: Made<Resource> | undefined;
  readonly problems: Made<readonly Problem[]>;
  /** Of each port: one for all endpoints, one for each choice of labels that a rule speaks of. */
  readonly sets: readonly EndpointSet[];
  /** Hosts whose services, endpoints and policies it depends on: its own, and those that its routes name. */
  readonly hostnames: readonly string[];
}

/** Something that is made again only of other inputs. */
interface Made<Value> {
  readonly inputs: readonly unknown[];
  readonly value: Value;
}

function made<Value>(
  before: Made<Value> | undefined,
  inputs: readonly unknown[],
  make: () => Value,
): Made<Value> {
  const { length } = inputs;
  const isSame = before?.inputs.length === length && inputs.every((input, i) => input === before.inputs[i]);
  return isSame ? before : { inputs, value: make() };
}

/** The message before if the new one says the same: nobody has to be told of it. */
const unlessEqual = <Desc extends DescMessage>(
  schema: Desc,
  before: MessageShape<Desc> | undefined,
  after: MessageShape<Desc>,
): MessageShape<Desc> => (before !== undefined && equals(schema, before, after) ? before : after);

const unlessSameBytes = (before: Resource | undefined, after: Resource): Resource =>
  before !== undefined && Buffer.compare(before.body, after.body) === 0 ? before : after;

/** @param before what became of it last: what is still right of it is used again */
export function compileService(
  scene: Scene,
  service: Service,
  before: CompiledService | undefined,
): CompiledService {
  const { hostname } = service;
  const { rootNamespace, trustDomain } = scene.model.mesh;
  const endpoints = scene.endpoints(hostname);
  const tables = scene.tablesOf(hostname);
  const hosts = tables.flatMap(({ table }) => namedHosts(table).map((host) => scene.canonical(host)));
  const hostnames = [...new Set([hostname, ...hosts])];
  const around = hostnames.flatMap((host) => [scene.service(host), ...scene.policiesOf(host)]);
  const ports = made(before?.ports, [service, rootNamespace, ...tables, ...around], () =>
    service.ports.map((port) => resolvePort(scene, service, port)),
  );
  const accounts = accountsOf(scene.allEndpoints(hostname), trustDomain);
  const mutualTls =
    service.resolution === Resolution.PASSTHROUGH &&
    endpoints.length > 0 &&
    endpoints.every((endpoint) => endpoint.mutualTls);
  const message = made(before?.message, [service, ports, accounts, mutualTls], () =>
    unlessEqual(
      ServiceSchema,
      before?.message.value,
      serviceMessage(service, ports.value, { accounts, mutualTls }),
    ),
  );
  const forNodes = isForNodes(service)
    ? made(before?.forNodes, [message.value, ports], () =>
        unlessSameBytes(before?.forNodes?.value, nodeService(scene, message.value, ports.value)),
      )
    : undefined;
  const behind = hostnames.map((host) => scene.endpoints(host));
  const problems = made(before?.problems, [ports, ...behind], () => serviceProblems(scene, ports.value));
  const sets = setsOf(scene, service, before);
  return { service, endpoints, ports, message, forNodes, problems, sets, hostnames };
}

/** Hosts that routes lead to, mirror to, or whose callers they ask for. */
function namedHosts({ http, tcp, tls }: RouteTable): string[] {
  const routes = [...http, ...tcp, ...tls];
  const mirrored = http.flatMap(({ mirrors }) => mirrors.flatMap(({ destination }) => destination ?? []));
  const callers = routes.flatMap(({ matches }) =>
    matches.flatMap(({ source }: HttpMatch | ConnectionMatch) => source ?? []),
  );
  const routed = routes.flatMap(({ destinations }) => destinations);
  return [...routed, ...mirrored, ...callers].map(({ hostname }) => hostname).filter(Boolean);
}

const allEndpoints: Labels = {};

function setsOf(
  scene: Scene,
  { hostname, ports }: Service,
  before: CompiledService | undefined,
): EndpointSet[] {
  const endpoints = scene.allEndpoints(hostname);
  const known = new Map(before?.sets.map((set) => [set.name, set]));
  const choices = [allEndpoints, ...subsetLabels(scene, hostname), ...scene.routedLabels(hostname)];
  const sets = new Map<string, EndpointSet>();
  for (const port of ports) {
    for (const labels of choices) {
      const name = endpointSetOf(hostname, port, labels);
      if (sets.has(name)) continue;
      const message = endpointSetMessage(name, selectEndpoints(endpoints, port, labels));
      sets.set(name, unlessEqual(EndpointSetSchema, known.get(name), message));
    }
  }
  return [...sets.values()];
}

const subsetLabels = (scene: Scene, hostname: string): Labels[] =>
  scene.policiesOf(hostname).flatMap(({ policy }) => policy.subsets.map(({ labels }) => labels));
