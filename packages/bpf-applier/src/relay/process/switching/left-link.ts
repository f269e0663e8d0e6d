import { closeSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { LinkValue } from "@keelson/bpf";
import { socketCookie, tcpCounts } from "bpf-maps-native";
import type { HeldLink } from "../holding/beside.ts";
import { countModulo, type SwitchingKernel } from "./kernel.ts";
import { askAgainMs } from "./link.ts";

/** As it was found when it was looked at last. */
export type LinkState =
  /** It was idle, and is the relay's now: it lies in no pool. */
  | "idle"
  /** A caller has a request on it. */
  | "busy"
  /** Somebody has read, or has been sent, what it should not have been; or nobody has it. */
  | "doubtful";

/** A link that an earlier relay has left. Nothing is read of it here. */
export class LeftLink {
  readonly cookie: bigint;
  /** "address:port" of the endpoint. */
  readonly address: string;
  /** As in {@link PoolBounds}, or what its server asks for. */
  readonly idleMs: number;
  readonly held: HeldLink;
  state: LinkState = "doubtful";
  /** Bytes that were left to relays before, and that they have read; modulo 2^32. */
  passedBefore = 0;
  /** The relay before had to carry what came on it last. */
  wasPassed = false;
  private readonly kernel: SwitchingKernel | undefined;

  constructor(kernel: SwitchingKernel | undefined, held: HeldLink) {
    const [idleMs = "", address = ""] = held.note.split(" ");
    this.kernel = kernel;
    this.held = held;
    this.cookie = socketCookie(held.fd);
    this.idleMs = Number(idleMs);
    this.address = address;
  }

  /** What its relay's successor finds with it. */
  static note(address: string, idleMs: number): string {
    return `${idleMs} ${address}`;
  }

  async look(): Promise<LinkState> {
    this.state = await this.found().catch(() => "doubtful" as const);
    return this.state;
  }

  /** Nothing of it stays. */
  async close(): Promise<void> {
    const { kernel, cookie, held } = this;
    await kernel?.takeLink(cookie).catch(() => undefined);
    await kernel?.dropLink(cookie).catch(() => undefined);
    held.drop();
    closeSync(held.fd);
  }

  private async found(): Promise<LinkState> {
    const { kernel, cookie } = this;
    for (const pauseMs of [0, ...askAgainMs]) {
      if (pauseMs > 0) await sleep(pauseMs);
      const isIdle = await kernel?.takeLink(cookie);
      const value = kernel?.link(cookie);
      if (value === undefined) break;
      this.wasPassed = value.isPassed === 1;
      if (isIdle) return this.isUntouched(value) ? "idle" : "doubtful";
      // Just now something may have come that programs have not seen yet.
      if (value.caller !== 0n && this.isUntouched(value)) return "busy";
    }
    return "doubtful";
  }

  /** All that came was asked for, and of what was left to the relay nothing is read. */
  private isUntouched({ heard, passed, passedEver, isPassed }: LinkValue): boolean {
    const counts = tcpCounts(this.held.fd);
    if (counts === undefined) return false;
    const received = (counts.read + counts.unread) % countModulo;
    const unread = isPassed === 1 ? passed : 0;
    this.passedBefore = (passedEver - unread + countModulo) % countModulo;
    return received === heard && counts.unread === unread;
  }
}
