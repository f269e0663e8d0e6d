import type { Changes } from "./changes.ts";
import type { TypeRule } from "./type-rules.ts";

/** A response that was sent and is not answered. */
export interface SentResponse {
  readonly rule: TypeRule;
  readonly version: string;
  /** What it was about. */
  readonly changes: Changes;
}

interface Entry extends SentResponse {
  /** In ms, by the monotonic clock. */
  readonly sentAt: number;
  /** Its answer is not waited for any more. */
  overdue: boolean;
}

/** The responses of one stream that wait for an answer. */
export class InFlight {
  private readonly entries = new Map<string, Entry>();
  private readonly supersedes: boolean;
  /** In ms since 1970. */
  private startedAt: number | undefined;

  /** @param supersedes whether a response makes those of its type before it stale. */
  constructor(supersedes: boolean) {
    this.supersedes = supersedes;
  }

  /** Since when there is any. */
  get since(): Date | undefined {
    return this.startedAt === undefined ? undefined : new Date(this.startedAt);
  }

  /** Whether another push must wait. */
  get blocksPush(): boolean {
    for (const { overdue } of this.entries.values()) if (!overdue) return true;
    return false;
  }

  /** Whether the next stage of a push must wait. */
  get blocksStage(): boolean {
    for (const { overdue, rule } of this.entries.values())
      if (!overdue && rule.settling === true) return true;
    return false;
  }

  /** Whether a response of the type is waited for. */
  has(typeUrl: string): boolean {
    for (const { overdue, rule } of this.entries.values())
      if (!overdue && rule.typeUrl === typeUrl) return true;
    return false;
  }

  add(nonce: string, response: SentResponse): void {
    this.startedAt ??= Date.now();
    for (const [old, { rule, overdue }] of this.entries)
      if (rule.typeUrl === response.rule.typeUrl && (overdue || this.supersedes)) this.entries.delete(old);
    const { rule, version, changes } = response;
    this.entries.set(nonce, { rule, version, changes, sentAt: performance.now(), overdue: false });
  }

  /** @returns the response with the nonce, if it is of the type: it is answered. */
  take(nonce: string, typeUrl: string): SentResponse | undefined {
    const entry = this.entries.get(nonce);
    if (entry?.rule.typeUrl !== typeUrl) return undefined;
    this.remove(nonce);
    return entry;
  }

  /**
   * Ends waiting for answers of clients that take longer than this, in ms.
   * @returns the types they are of.
   */
  giveUp(afterMs: number): string[] {
    const latest = performance.now() - afterMs;
    const late = [...this.entries.values()].filter(({ rule, sentAt }) => rule.settling && sentAt <= latest);
    for (const entry of late) entry.overdue = true;
    return late.map(({ rule }) => rule.typeUrl);
  }

  private remove(nonce: string): void {
    this.entries.delete(nonce);
    if (this.entries.size === 0) this.startedAt = undefined;
  }
}
