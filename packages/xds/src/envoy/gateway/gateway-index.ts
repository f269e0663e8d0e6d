import type { Gateway } from "@keelson/protos/proxy";
import { includesLabels } from "../hosts.ts";

/** Which Gateways a proxy serves. */
export class GatewayIndex {
  /** Label keys that selectors look at. */
  readonly selectorKeys: ReadonlySet<string>;
  private readonly gateways: readonly Gateway[];

  constructor(gateways: ReadonlyMap<string, Gateway>) {
    this.gateways = [...gateways.values()];
    this.selectorKeys = new Set(this.gateways.flatMap(({ selector }) => Object.keys(selector)));
  }

  /** A Gateway without a selector is every gateway's. */
  selecting(labels: Readonly<Record<string, string>>): readonly Gateway[] {
    return this.gateways.filter(({ selector }) => includesLabels(labels, selector));
  }
}
