import {
  type Endpoint,
  type Model,
  meshGateway,
  type PolicySource,
  type RouteSource,
  type Service,
} from "@keelson/model";
import { formatLabels } from "@keelson/protos";
import { HostIndex } from "./host-index.ts";

export type Labels = Readonly<Record<string, string>>;

/** What depends on rules and names alone. */
interface LookUps {
  readonly routes: HostIndex<RouteSource>;
  readonly policies: HostIndex<PolicySource>;
  readonly aliases: ReadonlyMap<string, string>;
}

/** Of lists in which some drain. */
const taking = new WeakMap<readonly Endpoint[], readonly Endpoint[]>();

function takingConnections(endpoints: readonly Endpoint[]): readonly Endpoint[] {
  if (!endpoints.some(({ draining }) => draining)) return endpoints;
  const made = taking.get(endpoints) ?? endpoints.filter(({ draining }) => draining !== true);
  taking.set(endpoints, made);
  return made;
}

/** A model with the look-ups that its routes need. */
export class Scene {
  readonly model: Model;
  private readonly lookUps: LookUps;
  /** Host → text of labels → labels that routes choose its endpoints by; found when first asked for. */
  private routed: ReadonlyMap<string, ReadonlyMap<string, Labels>> | undefined;

  /** @param before a scene whose look-ups are used again; see `withServicesOf` */
  private constructor(model: Model, before?: Scene) {
    this.model = model;
    this.lookUps = before?.lookUps ?? lookUpsOf(model);
    this.routed = before?.routed;
  }

  static of(model: Model): Scene {
    return new Scene(model);
  }

  /** The scene of a model with the same routes, policies, hosts and aliases. */
  withServicesOf(model: Model): Scene {
    return new Scene(model, this);
  }

  service(hostname: string): Service | undefined {
    return this.model.services.get(hostname);
  }

  /** The hostname of the service that a name stands for, be it an alias. */
  canonical(hostname: string): string {
    return this.model.services.has(hostname) ? hostname : (this.lookUps.aliases.get(hostname) ?? hostname);
  }

  /** Those that take new connections; the same list as long as they are the same. */
  endpoints(hostname: string): readonly Endpoint[] {
    return takingConnections(this.allEndpoints(hostname));
  }

  /** Those that drain among them. */
  allEndpoints(hostname: string): readonly Endpoint[] {
    return this.model.endpoints.get(hostname) ?? noEndpoints;
  }

  /** Tables for callers inside the mesh, in the order in which they are asked. */
  tablesOf(hostname: string): readonly RouteSource[] {
    return this.lookUps.routes.find(hostname);
  }

  /** Labels by which routes choose among the endpoints of a host. */
  routedLabels(hostname: string): Iterable<Labels> {
    this.routed ??= this.findRoutedLabels();
    return this.routed.get(hostname)?.values() ?? [];
  }

  private findRoutedLabels(): Map<string, Map<string, Labels>> {
    const found = new Map<string, Map<string, Labels>>();
    for (const { table } of this.model.routes.values()) {
      for (const { destinations } of [...table.http, ...table.tcp, ...table.tls]) {
        for (const { hostname: written, labels } of destinations) {
          const hostname = this.canonical(written);
          const known = found.get(hostname) ?? new Map<string, Labels>();
          found.set(hostname, known.set(formatLabels(labels), labels));
        }
      }
    }
    return found;
  }

  /** All policies that name the host, whoever they are for. */
  policiesOf(hostname: string): readonly PolicySource[] {
    return this.lookUps.policies.find(hostname);
  }

  /**
   * The DestinationRule that holds for callers of every namespace: a node makes one choice for all of them. As Istio looks it up
   * for a caller without one of its own: in the service's namespace, then in the root namespace.
   */
  destinationRuleOf(hostname: string): PolicySource | undefined {
    const { rootNamespace } = this.model.mesh;
    const namespace = this.service(hostname)?.namespace;
    const shared = this.policiesOf(hostname).filter(
      ({ policy, object }) => object.kind === "DestinationRule" && isForAllCallers(policy),
    );
    return (
      shared.find(({ policy }) => policy.namespace === namespace) ??
      shared.find(({ policy }) => policy.namespace === rootNamespace)
    );
  }
}

const noEndpoints: readonly Endpoint[] = [];

function lookUpsOf({ routes, policies, services }: Model): LookUps {
  const meshRoutes = [...routes.values()].filter(({ table }) => table.gateways.includes(meshGateway));
  const aliases = new Map<string, string>();
  for (const service of services.values())
    for (const alias of service.aliases) aliases.set(alias, service.hostname);
  return {
    routes: new HostIndex(
      meshRoutes.flatMap((source) => source.table.hosts.map((host) => [host, source] as const)),
    ),
    policies: new HostIndex(
      [...policies.values()].map((source) => [source.policy.hostname, source] as const),
    ),
    aliases,
  };
}

/** Whether a policy is for callers of every namespace and kind. */
export function isForAllCallers({
  exportedTo,
  callerLabels,
  callerHostname,
}: PolicySource["policy"]): boolean {
  return exportedTo.length === 0 && Object.keys(callerLabels).length === 0 && callerHostname === "";
}
