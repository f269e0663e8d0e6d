import {
  type Endpoint,
  type Model,
  meshGateway,
  type PolicySource,
  type RouteSource,
  type Service,
} from "@keelson/model";
import { HostIndex } from "./host-index.ts";

/** A model with the look-ups that its routes need. */
export class Scene {
  readonly model: Model;
  private readonly routes: HostIndex<RouteSource>;
  private readonly policies: HostIndex<PolicySource>;
  private readonly aliases: ReadonlyMap<string, string>;

  constructor(model: Model) {
    this.model = model;
    this.routes = new HostIndex(
      [...model.routes.values()]
        .filter(({ table }) => table.gateways.includes(meshGateway))
        .flatMap((source) => source.table.hosts.map((host) => [host, source] as const)),
    );
    this.aliases = new Map(
      [...model.services.values()].flatMap(({ hostname, aliases }) =>
        aliases.map((alias) => [alias, hostname] as const),
      ),
    );
    this.policies = new HostIndex(
      [...model.policies.values()].map((source) => [source.policy.hostname, source] as const),
    );
  }

  service(hostname: string): Service | undefined {
    return this.model.services.get(hostname);
  }

  /** The hostname of the service that a name stands for, be it an alias. */
  canonical(hostname: string): string {
    return this.model.services.has(hostname) ? hostname : (this.aliases.get(hostname) ?? hostname);
  }

  endpoints(hostname: string): readonly Endpoint[] {
    return this.model.endpoints.get(hostname) ?? noEndpoints;
  }

  /** Tables for callers inside the mesh, in the order in which they are asked. */
  tablesOf(hostname: string): readonly RouteSource[] {
    return this.routes.find(hostname);
  }

  /** All policies that name the host, whoever they are for. */
  policiesOf(hostname: string): readonly PolicySource[] {
    return this.policies.find(hostname);
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

/** Whether a policy is for callers of every namespace and kind. */
function isForAllCallers({ exportedTo, callerLabels, callerHostname }: PolicySource["policy"]): boolean {
  return exportedTo.length === 0 && Object.keys(callerLabels).length === 0 && callerHostname === "";
}
