import { policyTypeUrls } from "@keelson/protos";
import type { DeltaUpdate } from "@keelson/xds";
import type { Banks } from "./banks.ts";
import { PolicyStore } from "./policy-store.ts";
import type { RelayKeeper } from "./relay/relay-keeper.ts";
import { emptyRelayPolicy, relayPolicyAfter } from "./relay/relay-policy.ts";
import type { ServiceTable } from "./service-table.ts";
import type { StagedUpdate } from "./staged-update.ts";
import { MatchTableMaker } from "./switching/match-table-maker.ts";
import type { MatchTableMaps } from "./switching/match-table-maps.ts";
import type { RingMaps } from "./switching/ring-maps.ts";
import { ringsOf, tablesOf } from "./switching/switching-status.ts";
import { TableOwners } from "./table-owners.ts";

export interface NodeTablesOptions {
  readonly banks: Banks;
  readonly relay: RelayKeeper | undefined;
  /** Undefined: programs take no requests off the way to the relay. */
  readonly matchTables: MatchTableMaps | undefined;
  /** As that. */
  readonly rings: RingMaps | undefined;
  /** Told of every new table, just before it may become live. */
  readonly onTable: (table: ServiceTable) => void;
  /** Told that a match table was made which services wait for: `stageWaiting` has them. */
  readonly onMatchTable: () => Promise<void>;
  /** Told that one could not be made, and is tried again after a while. */
  readonly onMatchTableError: (error: unknown) => void;
}

/**
 * The policy held and the maps and the relay that show it, changed together: what is staged of an update is written and live,
 * or it changes nothing.
 */
export class NodeTables {
  readonly store: PolicyStore;
  private readonly owners = new TableOwners();
  private readonly banks: Banks;
  private readonly relay: RelayKeeper | undefined;
  private readonly matchTables: MatchTableMaps | undefined;
  private readonly tableMaker: MatchTableMaker | undefined;
  private readonly rings: RingMaps | undefined;
  private relayPolicy = emptyRelayPolicy;
  private readonly onTable: (table: ServiceTable) => void;
  /** Until the first services came, the maps may hold what an earlier applier left. */
  private complete = false;

  constructor({ banks, relay, matchTables, rings, onTable, ...told }: NodeTablesOptions) {
    this.tableMaker =
      matchTables && new MatchTableMaker({ onMade: told.onMatchTable, onError: told.onMatchTableError });
    this.store = new PolicyStore({
      hasRelay: relay !== undefined,
      ...(this.tableMaker && { tableMaker: this.tableMaker }),
    });
    this.banks = banks;
    this.relay = relay;
    this.matchTables = matchTables;
    this.rings = rings;
    this.onTable = onTable;
  }

  /** What of an update can be made live. @throws Error if nothing can, as it is of no type that is known. */
  stage(update: DeltaUpdate): StagedUpdate {
    return this.store.stage(update);
  }

  /** The services that waited for match tables which are there now. */
  stageWaiting(): StagedUpdate {
    return this.store.stage({ typeUrl: policyTypeUrls.service, systemVersion: "", added: [], removed: [] });
  }

  /** Ends what goes on beside. */
  async close(): Promise<void> {
    await this.tableMaker?.close();
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
    // The relay knows of a service before it gets its connections; and one of an earlier agent may know of others.
    const isFirst = this.isFirst(staged);
    const isTold = after !== before || isFirst;
    if (isTold) await this.relay?.setPolicy(after);
    try {
      await this.write(staged);
    } catch (error) {
      // So long as the maps are an earlier agent's, its relay goes by what that has told it.
      if (isTold) await this.relay?.setPolicy(isFirst ? undefined : before);
      throw error;
    }
    this.relayPolicy = after;
    staged.commit();
    return staged.workloadsChanged;
  }

  private isFirst({ taken }: StagedUpdate): boolean {
    return taken.typeUrl === policyTypeUrls.service && !this.complete;
  }

  private async write(staged: StagedUpdate): Promise<void> {
    const tables = staged.changes;
    const changes = this.owners.plan(tables);
    const isFirst = this.isFirst(staged);
    if (!isFirst && Object.values(changes).every(({ size }) => size === 0)) return this.owners.commit(tables);
    const { matchTables, rings } = this;
    const needed = matchTables === undefined ? [] : [...this.owners.tablesAfter(tables)].flatMap(tablesOf);
    const found = rings === undefined ? [] : [...this.owners.tablesAfter(tables)].flatMap(ringsOf);
    await matchTables?.add(needed);
    await rings?.add(found);
    if (isFirst) await this.banks.replace(changes);
    else await this.banks.commit(changes);
    this.complete ||= isFirst;
    this.owners.commit(tables);
    // The version is live; a table that cannot be taken out now goes with the next one.
    await matchTables?.keepOnly(needed).catch(() => undefined);
    await rings?.keepOnly(found).catch(() => undefined);
  }
}
