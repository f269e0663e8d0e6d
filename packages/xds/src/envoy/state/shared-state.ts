import type { HostPolicy } from "@keelson/protos/traffic-policy";
import type { Context } from "../context.ts";
import type { Egress, Scope } from "../scope/scope.ts";
import type { SharedResources } from "./shared-resources.ts";

/** Whether two lists hold the very same things. */
export const sameItems = (a: readonly unknown[], b: readonly unknown[]): boolean =>
  a === b || (a.length === b.length && a.every((item, i) => item === b[i]));

const sameEgress = (a: Egress, b: Egress): boolean =>
  a.port === b.port &&
  a.protocol === b.protocol &&
  a.bind === b.bind &&
  a.captureMode === b.captureMode &&
  sameItems(a.services, b.services) &&
  sameItems(a.tables, b.tables);

const sameScope = (a: Scope, b: Scope): boolean =>
  a.allowAny === b.allowAny &&
  sameItems(a.ingress, b.ingress) &&
  a.inboundConnectionPool === b.inboundConnectionPool &&
  sameItems(a.services, b.services) &&
  a.egress.length === b.egress.length &&
  a.egress.every((egress, i) => sameEgress(egress, b.egress[i] as Egress));

/** What resources were made from, endpoints aside, so that it can be told later whether they are still right. */
export class Origin {
  private readonly context: Context;
  private readonly policies: readonly (HostPolicy | undefined)[];

  constructor(context: Context) {
    this.context = context;
    this.policies = policiesOf(context);
  }

  isRightFor(context: Context): boolean {
    return (
      this.context.mesh === context.mesh &&
      sameScope(this.context.scope, context.scope) &&
      sameItems(this.policies, policiesOf(context))
    );
  }
}

/** Policies of the services that a context has clusters for. */
const policiesOf = (context: Context): (HostPolicy | undefined)[] =>
  context.scope.services.map(({ service }) => context.policyOf(service));

/**
 * The resources that proxies of one kind share, through all snapshots. The endpoint sets that changed are noted when
 * they do, so that being up to date costs nothing where none did.
 */
export class SharedState {
  /** Number of the configuration that `current` is made from; endpoints aside. */
  private config = -1;
  private current: SharedResources | undefined;
  private readonly changed = new Set<string>();

  noteChange(endpointSet: string): void {
    this.changed.add(endpointSet);
  }

  /** @param make new resources, or the present ones if they are still right. */
  refresh(config: number, make: (present: SharedResources | undefined) => SharedResources): SharedResources {
    let { current } = this;
    if (current === undefined || this.config !== config) current = make(current);
    if (this.changed.size > 0) current = current.withEndpoints(this.changed);
    this.changed.clear();
    this.config = config;
    this.current = current;
    return current;
  }
}
