import type { HostPolicy } from "@keelson/protos/traffic-policy";
import type { Context } from "../context.ts";
import type { Egress, Scope } from "../scope/scope.ts";

/** Whether two lists hold the very same things. */
const sameItems = (a: readonly unknown[], b: readonly unknown[]): boolean =>
  a === b || (a.length === b.length && a.every((item, i) => item === b[i]));

const sameEgress = (a: Egress, b: Egress): boolean =>
  a.port === b.port &&
  a.protocol === b.protocol &&
  a.bind === b.bind &&
  a.captureMode === b.captureMode &&
  sameItems(a.services, b.services) &&
  sameItems(a.tables, b.tables);

const sameScope = (a: Scope, b: Scope): boolean =>
  a === b ||
  (a.allowAny === b.allowAny &&
    sameItems(a.services, b.services) &&
    a.egress.length === b.egress.length &&
    a.egress.every((egress, i) => sameEgress(egress, b.egress[i] as Egress)));

/** Policies of the services that a context has clusters for. */
const policiesOf = (context: Context): (HostPolicy | undefined)[] =>
  context.scope.services.map(({ service }) => context.policyOf(service));

/** What resources were made from, endpoints aside, so that it can be told later whether they are still right. */
export class Origin {
  private readonly context: Context;
  private readonly policies: readonly (HostPolicy | undefined)[];
  private readonly inputs: readonly unknown[];

  /** @param inputs what else went in. */
  constructor(context: Context, inputs: readonly unknown[]) {
    this.context = context;
    this.policies = policiesOf(context);
    this.inputs = inputs;
  }

  isRightFor(context: Context, inputs: readonly unknown[]): boolean {
    return (
      this.context.mesh === context.mesh &&
      sameItems(this.inputs, inputs) &&
      sameScope(this.context.scope, context.scope) &&
      sameItems(this.policies, policiesOf(context))
    );
  }
}
