import type { Socket } from "node:net";
import type { ExchangeValue } from "@keelson/bpf";
import type { EndedRequest } from "../counters.ts";
import { countModulo, type Handback, type SwitchingKernel } from "./kernel.ts";

/** Milliseconds between two looks at whether an exchange has settled, at least and at most. */
const shortestPauseMs = 1;
const longestPauseMs = 1_000;
/** In between, such a part of the time for which it has stood still: so much later than it settled is it seen at most. */
const pausePart = 1 / 8;

/** Requests after which a connection is left to the relay alone, as programs look at none: it is older than they are, say. */
const mostUnseen = 4;

/** A place in what a caller sends that it cannot have reached. */
const farOff = 0x8000_0000;

/** Who has the links that programs use. */
export interface LinkOwner {
  /** The caller is gone: its request on that link, if that is still its, ends. */
  abandon(link: bigint, caller: bigint): Promise<void>;
}

export interface ConversationOptions {
  readonly kernel: SwitchingKernel;
  /** Cookie of the caller's socket. */
  readonly caller: bigint;
  /** Its address, hashed as a key of consistent hashing. */
  readonly source: bigint;
  /** The relay's end of its connection. */
  readonly socket: Socket;
  readonly links: LinkOwner;
  /** What an earlier relay had read and written on the connection. */
  readonly before: { readonly read: number; readonly written: number };
}

/** With its route as programs know it. */
export type CarriedRequest = Omit<EndedRequest, "route"> & { readonly route: bigint };

/**
 * A caller's connection of which programs take requests. What programs and the relay send on it must not meet: each begins only
 * when all that the other one had to say was read. The relay waits until programs have settled, and hands back when it has.
 */
export class Conversation {
  readonly caller: bigint;
  readonly socket: Socket;
  private readonly kernel: SwitchingKernel;
  private readonly links: LinkOwner;
  private readonly before: ConversationOptions["before"];
  /** Requests that programs had taken when all was settled last; undefined: it is not known that it was. */
  private taken: number | undefined;
  /** As many of them, at least, are answered. */
  private answered = 0;
  private waiting: (() => void)[] = [];
  private timer: NodeJS.Timeout | undefined;
  private looking = false;
  /** Where the exchange was seen to stand, and when it came there. */
  private standing = { link: 0n, promised: 0, sinceMs: 0 };
  /** As programs know it; undefined: they take nothing. */
  private handedBack: Handback | undefined;
  /** Requests that programs have not looked at. */
  private unseen = 0;
  /** Programs have nothing to do with it any more. */
  private left = false;
  private ended = false;
  private ending = false;
  private withdrawn = false;
  /** Programs look at what the caller sends: they have seen a request since the connection was joined. */
  isLookedAt = false;
  /** The request that came last did so as no link was idle. */
  isMissed = false;
  /**
   * Whether no more of the caller's requests is under way at the relay than so many, and nothing of a next one was read. Whoever
   * reads requests says so.
   */
  isQuiet: (underWay: 0 | 1) => boolean = () => false;
  /** An answer to a request that programs took has been carried, as far as it came. */
  onCarried: (ended: CarriedRequest) => void = () => {};
  /** All that was read is answered, and told to programs; so many bytes of the answer follow. */
  onHandBack: (coming: number) => void = () => {};

  /** @throws Error if the kernel has no room, or does not take the socket */
  constructor({ kernel, caller, source, socket, links, before }: ConversationOptions) {
    this.before = before;
    this.kernel = kernel;
    this.caller = caller;
    this.socket = socket;
    this.links = links;
    try {
      kernel.join(caller, descriptorOf(socket), source);
      const taken = kernel.exchange(caller)?.taken ?? 0;
      // Those that were another relay's may be under way.
      if (taken === 0) this.taken = 0;
    } catch (error) {
      kernel.leave(caller);
      throw error;
    }
    socket.once("close", () => this.onClose());
  }

  /**
   * Calls back once nothing that programs have under way can get in the way of an answer; in the order of calls, at once where
   * it is so. Never, if the connection ends before.
   */
  whenSettled(callback: () => void): void {
    if (this.ended) return;
    if (this.left) return callback();
    if (this.waiting.length === 0 && this.isUntouched()) return callback();
    this.waiting.push(callback);
    if (this.waiting.length > 1) return;
    this.standing.sinceMs = performance.now();
    this.look();
  }

  /** Programs take nothing more, for good. What they have under way goes on. */
  withdraw(): void {
    this.withdrawn = true;
    this.tellHandback(farOff, 0);
  }

  /** Looks once whether what programs had under way was read. */
  async settled(): Promise<boolean> {
    return this.left || this.ended || this.waiting.length > 0 || (await this.settle().catch(() => false));
  }

  /** Programs have nothing under way, as of the last look at whether all was read. */
  get isSettled(): boolean {
    return this.left || this.isBehind(this.kernel.exchange(this.caller));
  }

  /** Programs have taken nothing since all was settled last. */
  private isUntouched(): boolean {
    const exchange = this.kernel.exchange(this.caller);
    this.isLookedAt = exchange !== undefined && exchange.place !== 0n;
    this.isMissed = exchange?.isMissed === 1;
    if (!this.isLookedAt && ++this.unseen > mostUnseen) this.leave();
    return this.isBehind(exchange);
  }

  private isBehind(exchange: ExchangeValue | undefined): boolean {
    return exchange === undefined || (exchange.link === 0n && exchange.taken === this.taken);
  }

  /** Says that all requests that came are answered, if it is so. */
  handBack(): void {
    if (!this.mayHandBack(0)) return;
    this.tellHandback(0, 0);
    this.onHandBack(0);
  }

  /** The same behind an answer that was carried for programs, before they hear of it. */
  handBackCarried(): void {
    this.answered = this.kernel.exchange(this.caller)?.taken ?? 0;
    this.handBack();
  }

  /**
   * The same just before the last answer has ended, so that it is known before the caller can ask again.
   * @param coming bytes that the socket gets right behind this call
   * @returns whether it was said
   */
  handBackAhead(coming: number): boolean {
    const may = this.mayHandBack(1);
    if (!may) return false;
    this.tellHandback(0, coming);
    this.onHandBack(coming);
    return true;
  }

  /** Programs take no more: a body, or another protocol, may go on for more bytes than can be told apart. */
  takeBack(): void {
    if (this.handedBack !== undefined) this.kernel.takeBack(this.caller);
    this.handedBack = undefined;
  }

  /** An answer that was passed to the relay has been carried, or will not come. */
  wake(): void {
    if (this.waiting.length > 0) this.look();
  }

  /**
   * The server has ended the connection that had the caller's request. The caller sees the same once it has read what was moved.
   * @param letGo makes the kernel forget of the request
   */
  async endAsServer(letGo: () => Promise<unknown>): Promise<void> {
    if (this.ended || this.ending) return;
    this.waiting = [];
    this.withhold();
    await letGo();
    this.whenSettled(() => this.end());
  }

  /** The relay is to end: what programs have under way is the last. */
  endWhenSettled(): void {
    if (this.ended || this.ending) return;
    this.withhold();
    this.whenSettled(() => this.socket.end());
  }

  /** Nothing that the caller may send from here is taken; how far the relay has gone stays known. */
  private withhold(): void {
    this.ending = true;
    this.tellHandback(farOff, 0);
  }

  /** The caller's connection ends behind an answer. */
  endBehindAnswer(): void {
    this.ending = true;
    this.waiting = [];
    this.socket.destroySoon();
  }

  /** The connection is of no use any more. */
  end(): void {
    this.socket.destroy();
  }

  private mayHandBack(underWay: 0 | 1): boolean {
    const goesOn = !this.ended && !this.ending && !this.left && !this.socket.destroyed;
    return goesOn && this.isQuiet(underWay);
  }

  private tellHandback(ahead: number, coming: number): void {
    const read = this.before.read + this.socket.bytesRead + (this.withdrawn ? farOff : ahead);
    const written = this.before.written + this.socket.bytesWritten + coming;
    const upTo = { read: read % countModulo, written: written % countModulo, taken: this.answered };
    const known = this.handedBack;
    if (known?.read === upTo.read && known.written === upTo.written && known.taken === upTo.taken) return;
    try {
      this.kernel.handBack(this.caller, upTo);
      this.handedBack = upTo;
    } catch {
      // No room: programs take nothing of it.
    }
  }

  /** From now on at distances that grow while it stands still, until it has settled. */
  private look(): void {
    clearTimeout(this.timer);
    if (this.looking) return;
    this.looking = true;
    this.settle().then(
      (settled) => this.onSettlement(settled),
      () => this.end(), // without the program nothing is known of the connection
    );
  }

  private onSettlement(settled: boolean): void {
    this.looking = false;
    if (this.ended) return;
    if (settled) return this.goOn();
    const pauseMs = this.stillForMs() * pausePart;
    const bounded = Math.min(Math.max(pauseMs, shortestPauseMs), longestPauseMs);
    this.timer = setTimeout(() => this.look(), bounded);
  }

  /** How long nothing was moved; what the caller reads of it is not seen. */
  private stillForMs(): number {
    const { link, promised } = this.kernel.exchange(this.caller) ?? this.standing;
    const now = performance.now();
    if (link !== this.standing.link || promised !== this.standing.promised)
      this.standing = { link, promised, sinceMs: now };
    return now - this.standing.sinceMs;
  }

  private async settle(): Promise<boolean> {
    const settlement = await this.kernel.settle(this.caller);
    if (settlement === "moving") return false;
    // A caller that has closed its connection reads nothing; what it sent before is handled as ever.
    if (settlement === "gone") this.leave();
    else {
      this.taken = this.kernel.exchange(this.caller)?.taken ?? 0;
      this.answered = this.taken;
    }
    return true;
  }

  private goOn(): void {
    const { waiting } = this;
    this.waiting = [];
    for (const callback of waiting) callback();
  }

  private onClose(): void {
    this.ended = true;
    this.waiting = [];
    clearTimeout(this.timer);
    this.leave();
  }

  /** Programs forget it. @returns whether they had a request of it under way, whose answer nobody gets any more */
  leave(): boolean {
    this.left = true;
    const link = this.kernel.exchange(this.caller)?.link ?? 0n;
    // First, so that nothing more is moved.
    this.kernel.leave(this.caller);
    if (link === 0n) return false;
    this.links.abandon(link, this.caller).catch(() => undefined);
    return true;
  }
}

/** Node does not say which one it is, but to itself. */
function descriptorOf(socket: Socket): number {
  const { fd } = (socket as unknown as Record<string, { readonly fd?: number } | null>)["_handle"] ?? {};
  if (fd === undefined || fd < 0) throw new Error("the socket of a caller has no descriptor");
  return fd;
}
