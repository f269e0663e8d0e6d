import type { Gateway } from "@keelson/protos/proxy";
import { includesLabels } from "../hosts.ts";

export interface NamedGateway {
  /** "namespace/name", as route tables name it. */
  readonly name: string;
  readonly gateway: Gateway;
}

/** Which Gateways a proxy serves. */
export class GatewayIndex {
  private readonly gateways: readonly NamedGateway[];

  constructor(gateways: ReadonlyMap<string, Gateway>) {
    this.gateways = [...gateways].map(([name, gateway]) => ({ name, gateway }));
  }

  /** A Gateway without a selector is every gateway's. */
  selecting(labels: Readonly<Record<string, string>>): readonly NamedGateway[] {
    return this.gateways.filter(({ gateway }) => includesLabels(labels, gateway.selector));
  }
}
