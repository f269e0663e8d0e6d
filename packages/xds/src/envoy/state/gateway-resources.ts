import { ListenerSchema } from "@envoyproxy/xds-protos/envoy/config/listener/v3/listener_pb.js";
import type { Resource } from "@keelson/protos";
import { ServerTls_Mode as Mode } from "@keelson/protos/proxy";
import type { RouteTable } from "@keelson/protos/route";
import type { ClusterEntry } from "../cluster/service-clusters.ts";
import { blackHoleCluster } from "../cluster/special-clusters.ts";
import type { TablesOf } from "../gateway/gateway-chains.ts";
import type { NamedGateway } from "../gateway/gateway-index.ts";
import { gatewayListener } from "../gateway/gateway-listener.ts";
import { type GatewayListener, gatewayListeners } from "../gateway/gateway-listeners.ts";
import { gatewayRoutes } from "../gateway/gateway-routes.ts";
import type { WorkloadPort } from "../index/workload-ports.ts";
import { clusterNames } from "../names.ts";
import { resourceOf } from "../wire.ts";
import { EnvoyResources } from "./envoy-resources.ts";
import type { Making } from "./mesh-resources.ts";

/** What makes a gateway's resources differ from another's, beside its traits. */
export interface GatewayInputs {
  /** Those whose selector holds, in the order in which they are asked. */
  readonly gateways: readonly NamedGateway[];
  /** Tables that are bound to these Gateways and visible, by the Gateway's name. */
  readonly tables: ReadonlyMap<string, readonly RouteTable[]>;
  /** Of its workload. */
  readonly ports: readonly WorkloadPort[];
}

/** All that matters of the inputs, as one list to compare. */
export const gatewayInputList = ({ gateways, tables, ports }: GatewayInputs): unknown[] => [
  ...gateways.map(({ gateway }) => gateway),
  ...[...tables.values()].flat(),
  ...ports,
];

/** What gateways get that serve the same Gateways on the same ports. */
export class GatewayResources extends EnvoyResources {
  private readonly inputs: GatewayInputs;
  private readonly served: readonly GatewayListener[];
  private readonly tablesOf: TablesOf;

  constructor(making: Making, inputs: GatewayInputs) {
    super(making, gatewayInputList(inputs));
    this.inputs = inputs;
    this.served = gatewayListeners(inputs.gateways, inputs.ports);
    this.tablesOf = (gateway) => inputs.tables.get(gateway) ?? [];
  }

  protected ruleTables(): RouteTable[] {
    return [...this.inputs.tables.values()].flat();
  }

  protected override entriesOf(...inputs: Parameters<EnvoyResources["entriesOf"]>): readonly ClusterEntry[] {
    const [scoped, parts] = inputs;
    const usual = super.entriesOf(scoped, parts);
    const passes = this.served.some(({ servers }) =>
      servers.some(({ server }) => server.tls?.mode === Mode.AUTO_PASSTHROUGH),
    );
    if (!passes || scoped.service.meshExternal) return usual;
    return [...usual, ...this.makers.clusters.get(scoped, this.context, parts, true)];
  }

  protected otherClusters(): Resource[] {
    return [this.special(clusterNames.blackHole, () => blackHoleCluster(this.context.mesh))];
  }

  protected makeListeners(): Resource[] {
    return this.served.flatMap((served) => {
      const listener = gatewayListener(served, this.context, this.tablesOf);
      return listener === undefined ? [] : resourceOf(ListenerSchema, listener.name, listener);
    });
  }

  protected makeRoutes(): Resource[] {
    return gatewayRoutes(this.served, this.context, this.tablesOf);
  }

  /** A Gateway that is gone leaves nothing to its listeners that drain. */
  protected strayRoutes(): undefined {
    return undefined;
  }

  protected remake(making: Making): GatewayResources {
    return new GatewayResources(making, this.inputs);
  }
}
