import type { Beside, HeldLink, MovedBefore } from "../holding/beside.ts";
import type { Position } from "../holding/ledger.ts";
import { countModulo, type SwitchingKernel } from "./kernel.ts";
import { LeftLink } from "./left-link.ts";

/** What a relay that is gone has left to programs, and they have gone on with since. */
export class RelayBefore implements Beside {
  /** Of use, by their cookies. */
  readonly links = new Map<bigint, LeftLink>();
  /** Requests of callers that programs had on links of no use, which end with that. */
  lost = 0;
  private readonly kernel: SwitchingKernel | undefined;
  /** Links with an answer of which the relay before had read. */
  private readonly begun = new Set<bigint>();

  /** @param kernel undefined: there are no such programs */
  constructor(kernel: SwitchingKernel | undefined) {
    this.kernel = kernel;
  }

  async takeLinks(held: readonly HeldLink[]): Promise<void> {
    await Promise.all(held.map((one) => this.takeLink(one)));
  }

  private async takeLink(held: HeldLink): Promise<void> {
    const left = new LeftLink(this.kernel, held);
    if ((await left.look()) !== "doubtful") {
      this.links.set(left.cookie, left);
      return;
    }
    if (left.wasPassed) this.begun.add(left.cookie);
    if (this.isCarried(left)) await this.kernel?.release(left.cookie, false);
    await left.close();
  }

  /** The relay before had carried all of its last answer, and had said so, but had not let go of it yet. */
  private isCarried({ cookie, wasPassed }: LeftLink): boolean {
    const caller = this.kernel?.link(cookie)?.caller ?? 0n;
    const exchange = this.kernel?.exchange(caller);
    return wasPassed && exchange?.link === cookie && this.kernel?.handback(caller)?.taken === exchange.taken;
  }

  movedBefore(caller: bigint, { read, written }: Position): MovedBefore | undefined {
    const exchange = this.kernel?.exchange(caller);
    if (exchange === undefined || exchange.taken === 0) return { bytes: 0, mayCome: false };
    const handback = this.kernel?.handback(caller);
    // Else the relay before was at work on it, or about to end it.
    const isHandedBack = handback?.read === read % countModulo && handback.written === written % countModulo;
    if (!isHandedBack || exchange.isBroken !== 0) return undefined;
    if (exchange.link !== 0n && !this.links.has(exchange.link)) {
      if (!this.begun.has(exchange.link)) this.lost++;
      return undefined;
    }
    return { bytes: exchange.promised, mayCome: true };
  }

  moved(caller: bigint): number | undefined {
    const exchange = this.kernel?.exchange(caller);
    if (exchange === undefined) return 0;
    return exchange.link === 0n && exchange.isBroken === 0 ? exchange.promised : undefined;
  }

  forget(caller: bigint): void {
    this.kernel?.leave(caller);
  }
}
