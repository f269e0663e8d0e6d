import type { SavedUpdate } from "@keelson/protos/state";
import type { Logger } from "pino";
import { type JournalUpdate, PolicyJournal } from "./policy-journal.ts";

/** Milliseconds until the next attempt to write what could not be written. */
const tryAgainMs = 10_000;

export interface SavedPolicyOptions {
  readonly path: string;
  /** All of the policy that is held now. */
  readonly content: () => readonly JournalUpdate[];
  readonly logger: Logger;
}

/**
 * The policy on the node's disk. A disk that is full or broken stops nothing: the policy goes live without being saved, which is
 * said once, and is saved as soon as that can be done. Its calls may not overlap.
 */
export class SavedPolicy {
  private readonly options: SavedPolicyOptions;
  private readonly journal: PolicyJournal;
  /** The file is not the policy that the maps hold, and has to be written anew. */
  private isBehind = false;
  /** What an earlier process has left is not known, and stays as it is until there is something newer. */
  private isUnread = false;
  private tryAgainAt = 0;
  private failure: string | undefined;

  constructor(options: SavedPolicyOptions) {
    this.options = options;
    this.journal = new PolicyJournal(options.path);
  }

  /** Why the disk does not have the policy that the maps hold; undefined: it has. */
  get unsavedBecause(): string | undefined {
    return this.failure;
  }

  get path(): string {
    return this.options.path;
  }

  /** What an earlier process has left; nothing if that cannot be read. */
  async read(): Promise<readonly SavedUpdate[]> {
    const { path } = this;
    try {
      const { updates, damagedBytes } = await this.journal.open();
      if (damagedBytes > 0)
        this.options.logger.warn(
          { path, damagedBytes },
          "the saved policy's last record is damaged and left out",
        );
      return updates;
    } catch (error) {
      this.isUnread = true;
      this.failed(error as Error);
      return [];
    }
  }

  /**
   * To be called before an update goes live, so that an applier that starts never goes back behind the maps.
   * @returns what takes it back
   */
  async append(update: JournalUpdate): Promise<() => Promise<void>> {
    this.isBehind ||= this.isUnread;
    if (this.isBehind) return () => Promise.resolve();
    try {
      const takeBack = await this.journal.append(update);
      return () =>
        takeBack().catch(() => {
          this.isBehind = true;
        });
    } catch (error) {
      // A full disk is no reason to go on with an old policy.
      this.isBehind = true;
      this.failed(error as Error);
      return () => Promise.resolve();
    }
  }

  /** Makes sure of what was appended, and writes anew what has to be; not again at once after it has failed. */
  async keep(): Promise<void> {
    if (performance.now() < this.tryAgainAt || (this.isUnread && !this.isBehind)) return;
    try {
      if (this.isBehind || this.journal.isGrown) await this.journal.rewrite(this.options.content());
      else await this.journal.sync();
    } catch (error) {
      this.isBehind = true;
      this.failed(error as Error);
      return;
    }
    this.isBehind = false;
    this.isUnread = false;
    if (this.failure === undefined) return;
    this.failure = undefined;
    this.options.logger.info({ path: this.path }, "the policy is saved again");
  }

  async close(): Promise<void> {
    this.tryAgainAt = 0;
    await this.keep();
    await this.journal.close();
  }

  private failed(error: Error): void {
    this.tryAgainAt = performance.now() + tryAgainMs;
    if (this.failure === error.message) return;
    this.failure = error.message;
    this.options.logger.error(
      { err: error, path: this.path },
      `the policy cannot be saved on this node; it goes live all the same, and is saved once that can be done (tried every ${tryAgainMs / 1000} s)`,
    );
  }
}
