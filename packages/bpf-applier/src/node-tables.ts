import { policyTypeUrls } from "@keelson/protos";
import type { DeltaUpdate } from "@keelson/xds";
import type { Banks } from "./banks.ts";
import { PolicyStore, type StagedUpdate } from "./policy-store.ts";
import type { RelayKeeper } from "./relay/relay-keeper.ts";
import { emptyRelayPolicy, relayPolicyAfter } from "./relay/relay-policy.ts";
import type { ServiceTable } from "./service-table.ts";
import { TableOwners } from "./table-owners.ts";

/**
 * The policy held and the maps and the relay that show it, changed together: what is staged of an update is written and live,
 * or it changes nothing.
 */
export class NodeTables {
  readonly store: PolicyStore;
  private readonly owners = new TableOwners();
  private readonly banks: Banks;
  private readonly relay: RelayKeeper | undefined;
  private relayPolicy = emptyRelayPolicy;
  private readonly onTable: (table: ServiceTable) => void;
  /** Until the first services came, the maps may hold what an earlier applier left. */
  private complete = false;

  /** @param onTable told of every new table, just before it may become live */
  constructor(banks: Banks, relay: RelayKeeper | undefined, onTable: (table: ServiceTable) => void) {
    this.store = new PolicyStore({ hasRelay: relay !== undefined });
    this.banks = banks;
    this.relay = relay;
    this.onTable = onTable;
  }

  /** What of an update can be made live. @throws Error if nothing can, as it is of no type that is known. */
  stage(update: DeltaUpdate): StagedUpdate {
    return this.store.stage(update);
  }

  /**
   * Makes live what was staged last.
   * @returns whether the node's own workloads changed.
   * @throws Error with the reason, after which maps, relay and store are as before.
   */
  async apply(staged: StagedUpdate): Promise<boolean> {
    for (const table of staged.changes.values()) if (table !== undefined) this.onTable(table);
    const before = this.relayPolicy;
    const after = this.relay === undefined ? before : relayPolicyAfter(before, staged);
    // The relay knows of a service before it gets its connections.
    if (after !== before) await this.relay?.setPolicy(after);
    try {
      await this.write(staged);
    } catch (error) {
      if (after !== before) await this.relay?.setPolicy(before);
      throw error;
    }
    this.relayPolicy = after;
    staged.commit();
    return staged.workloadsChanged;
  }

  private async write({ changes: tables, taken }: StagedUpdate): Promise<void> {
    const changes = this.owners.plan(tables);
    if (taken.typeUrl === policyTypeUrls.service && !this.complete) {
      await this.banks.replace(changes);
      this.complete = true;
    } else if (changes.services.size + changes.slots.size > 0) {
      await this.banks.commit(changes);
    }
    this.owners.commit(tables);
  }
}
