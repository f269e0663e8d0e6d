import { policyTypeUrls } from "@keelson/protos";
import type { Workload } from "@keelson/protos/policy";
import type { SavedResource, SavedUpdate } from "@keelson/protos/state";
import type { DeltaUpdate } from "@keelson/xds";
import type { Logger } from "pino";
import { NodeTables, type NodeTablesOptions } from "./node-tables.ts";
import type { JournalUpdate } from "./policy-journal.ts";
import type { PolicyStore } from "./policy-store.ts";
import { RejectionLog } from "./rejection-log.ts";
import { Rejections, reasonsText } from "./rejections.ts";
import { SavedPolicy } from "./saved-policy.ts";
import { Serial } from "./serial.ts";
import type { StagedUpdate } from "./staged-update.ts";

export interface NodePolicyOptions
  extends Pick<NodeTablesOptions, "banks" | "relay" | "matchTables" | "rings" | "onTable"> {
  /** The file that keeps the policy over restarts. */
  readonly path: string;
  /** Told of all workloads of this node when they are others. */
  readonly onWorkloads: (workloads: readonly Workload[]) => void;
  readonly logger: Logger;
}

export interface TypeStatus {
  /** system_version_info of the last response that the maps hold. */
  readonly version: string;
  readonly appliedAt: Date;
}

export interface PolicyStatus {
  /** What of a type was not taken, and why; gone once something newer is known of all of it. */
  readonly rejected: Record<string, string>;
  readonly types: Record<string, TypeStatus>;
  readonly services: number;
  /** Why the node's disk does not have the policy that the maps hold. */
  readonly unsavedBecause?: string;
}

/** The policy of a node: saved, then live in maps and relay, one update after the other. */
export class NodePolicy {
  private readonly options: NodePolicyOptions;
  private readonly tables: NodeTables;
  private readonly saved: SavedPolicy;
  /** Updates, and the journal's upkeep, which must see the policy between two updates. */
  private readonly serial = new Serial();
  private readonly types: Record<string, TypeStatus> = {};
  /** By type. */
  private readonly rejections: Record<string, Rejections> = {};
  private readonly rejectionLog: RejectionLog;

  constructor(options: NodePolicyOptions) {
    const { path, logger } = options;
    this.options = options;
    this.rejectionLog = new RejectionLog(logger);
    this.tables = new NodeTables({
      ...options,
      onMatchTable: () => this.serial.run(() => this.takeWaiting()),
      onMatchTableError: (error) =>
        logger.warn({ err: error }, "a match table could not be made; trying again in a while"),
    });
    this.saved = new SavedPolicy({ path, content: () => allOf(this.store), logger });
  }

  get store(): PolicyStore {
    return this.tables.store;
  }

  status(): PolicyStatus {
    const { unsavedBecause } = this.saved;
    return {
      rejected: rejectedTexts(this.rejections),
      types: this.types,
      services: this.store.serviceCount(),
      ...(unsavedBecause === undefined ? {} : { unsavedBecause }),
    };
  }

  /** Makes live what an earlier agent has saved, as far as it can be used. */
  async restore(): Promise<void> {
    const { logger, path } = this.options;
    const updates = await this.saved.read();
    for (const update of mergeUpdates(updates)) {
      const staged = this.tables.stage(update);
      if (staged.rejected.size > 0) {
        const reason = reasonsText(staged.rejected.values());
        logger.error({ path, reason }, "a part of the saved policy cannot be used");
      }
      await this.makeLive(staged).catch((error: Error) => {
        logger.error({ err: error, path }, "the saved policy cannot be used; waiting for the control plane");
      });
    }
    if (updates.length > 0) logger.info({ services: this.store.serviceCount() }, "saved policy is live");
  }

  /**
   * Resolves once the maps, and the relay, hold the update: that is what an ack means.
   * @throws Error naming what of it was not taken, while the rest is live; or why nothing was.
   */
  take(update: DeltaUpdate): Promise<void> {
    return this.serial.run(() => this.takeNow(update));
  }

  /** Makes sure that the disk has the policy. */
  keep(): Promise<void> {
    return this.serial.run(() => this.saved.keep());
  }

  /** No table is made any more, and the policy is saved. */
  async close(): Promise<void> {
    await this.tables.close();
    await this.serial.run(() => this.saved.close());
  }

  private async takeNow(update: DeltaUpdate): Promise<void> {
    const { typeUrl: type, systemVersion: version, added, removed } = update;
    const rejections = (this.rejections[type] ??= new Rejections());
    let staged: StagedUpdate;
    try {
      staged = this.tables.stage(update);
      await this.save(staged);
    } catch (error) {
      rejections.failed((error as Error).message);
      this.rejectionLog.rejected({ type, version }, (error as Error).message);
      throw error;
    }
    const { rejected, taken } = staged;
    rejections.took(update, rejected);
    if (rejected.size > 0) {
      const counts = { rejected: rejected.size, taken: taken.added.length + taken.removed.length };
      this.rejectionLog.rejected({ type, version }, rejections.text ?? "", counts);
      throw new Error(reasonsText(rejected.values()));
    }
    if (rejections.text === undefined) this.rejectionLog.over(type);
    this.types[type] = { version, appliedAt: new Date() };
    const { logger } = this.options;
    logger.info({ type, version, added: added.length, removed: removed.length }, "update applied");
  }

  /** Saves what was staged, then makes it live. */
  private async save(staged: StagedUpdate): Promise<void> {
    const { typeUrl, added, removed } = staged.taken;
    const takeBack = await this.saved.append({ typeUrl, added: [...added], removed: [...removed] });
    try {
      await this.makeLive(staged);
    } catch (error) {
      await takeBack();
      throw error;
    }
  }

  private async makeLive(staged: StagedUpdate): Promise<void> {
    if (await this.tables.apply(staged)) this.options.onWorkloads([...this.store.localWorkloads()]);
  }

  /** Nothing of the policy is new, so that the journal is not asked. */
  private async takeWaiting(): Promise<void> {
    const staged = this.tables.stageWaiting();
    if (staged.changes.size === 0) return;
    await this.makeLive(staged).catch((error: Error) => {
      this.options.logger.warn(
        { err: error },
        "a match table cannot be used; it is tried with the next change",
      );
    });
  }
}

/** What all updates together lead to, as one update for each type, in the order in which a node applies types. */
function mergeUpdates(updates: readonly SavedUpdate[]): DeltaUpdate[] {
  return Object.values(policyTypeUrls).flatMap((typeUrl) => {
    const held = new Map<string, SavedResource>();
    const own = updates.filter((update) => update.typeUrl === typeUrl);
    for (const { added, removed } of own) {
      for (const name of removed) held.delete(name);
      for (const resource of added) held.set(resource.name, resource);
    }
    return own.length === 0 ? [] : [{ typeUrl, systemVersion: "", added: [...held.values()], removed: [] }];
  });
}

const allOf = (store: PolicyStore): JournalUpdate[] =>
  Object.values(policyTypeUrls).map((typeUrl) => ({
    typeUrl,
    added: Array.from(store.resources(typeUrl), ({ name, version, body }) => ({ name, version, body })),
  }));

const rejectedTexts = (rejections: Readonly<Record<string, Rejections>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(rejections).flatMap(([type, { text }]) => (text === undefined ? [] : [[type, text]])),
  );
