import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { LinkValue } from "@keelson/bpf";
import { leaveLoop } from "bpf-maps-native";
import type { HeldLink } from "../holding/beside.ts";
import { startReading, stopReading } from "../plain-socket.ts";
import type { Conversation } from "./conversation.ts";
import { countModulo, type SwitchingKernel } from "./kernel.ts";
import { PassedAnswer, type PassedEnd } from "./passed-answer.ts";

/**
 * Milliseconds after which is asked again who has a link that lies in no pool and has no caller: a program that has taken it
 * names the caller in the same breath, and one that has moved an answer puts it back.
 */
export const askAgainMs = [1, 2, 4, 8, 16];

export interface LinkOptions {
  readonly kernel: SwitchingKernel;
  readonly cookie: bigint;
  readonly fd: number;
  /** Bytes that were left to relays before this one, which have read them; modulo 2^32. */
  readonly passedBefore: number;
  /** "address:port". */
  readonly endpoint: string;
  /** Connected, heard by programs, nothing read of it yet. */
  readonly socket: Socket;
  /** Undefined: it ends with this process. */
  readonly held: HeldLink | undefined;
  readonly conversationOf: (caller: bigint) => Conversation | undefined;
  /** Called once; it has left its pool, and nothing is kept of it. */
  readonly onGone: (link: Link) => void;
}

/**
 * A connection to an endpoint on which programs send callers' requests. What programs do not move of the answers comes to the
 * relay; at any byte that nobody asked for the link ends.
 *
 * The relay reads it only from where it is told that something was left to it: a socket that is read wakes its process for each
 * packet, also for those that programs move, and that took a tenth and more of what a request costs.
 */
export class Link {
  readonly cookie: bigint;
  private readonly kernel: SwitchingKernel;
  private readonly fd: number;
  private readonly endpoint: string;
  private readonly socket: Socket;
  private readonly held: HeldLink | undefined;
  private readonly conversationOf: LinkOptions["conversationOf"];
  private readonly onGone: LinkOptions["onGone"];
  private readonly passedBefore: number;
  private answer: PassedAnswer | undefined;
  /** Nothing is read of it. */
  private resting = false;
  /** There is an end to be read. */
  private hungUp = false;
  private releasing = false;
  /** Resolves when the last answer that was passed has let go of the link. */
  private released: Promise<void> = Promise.resolve();
  private ending = false;
  private closed = false;

  constructor(options: LinkOptions) {
    const { kernel, cookie, fd, endpoint, socket, held, passedBefore, conversationOf, onGone } = options;
    this.endpoint = endpoint;
    this.kernel = kernel;
    this.fd = fd;
    this.cookie = cookie;
    this.socket = socket;
    this.held = held;
    this.passedBefore = passedBefore;
    this.conversationOf = conversationOf;
    this.onGone = onGone;
    socket.setNoDelay(true);
    socket.on("data", (chunk: Buffer) => this.onData(chunk));
    socket.on("error", () => undefined); // "close" follows
    socket.once("close", () => held?.drop());
    for (const event of ["end", "close"] as const) socket.once(event, () => this.onServerGone());
  }

  /**
   * Reads no more, if all is read that was left to the relay, and programs will tell of what comes next. They were asked to before; who
   * is told after this look calls `read`.
   */
  rest(): void {
    const value = this.kernel.link(this.cookie);
    if (value?.isTold !== 0 || !this.hasRead(value)) return;
    if (this.hungUp || this.ending || this.answer !== undefined || this.socket.destroyed) return;
    this.resting = true;
    stopReading(this.socket);
    leaveLoop(this.fd);
  }

  /** Something was left to the relay. */
  read(): void {
    if (!this.resting) return;
    this.resting = false;
    startReading(this.socket);
  }

  /** The server has ended the connection, or it has failed. */
  hangUp(): void {
    this.hungUp = true;
    this.read();
  }

  /** A word of programs may be lost: the kernel may refuse it for want of room, or of a lock. */
  lookAgain(): void {
    const value = this.resting ? this.kernel.link(this.cookie) : undefined;
    if (value !== undefined && !this.hasRead(value)) this.read();
  }

  private hasRead({ passedEver }: LinkValue): boolean {
    return passedEver === (this.passedBefore + this.socket.bytesRead) % countModulo;
  }

  /** Ends it if it is idle. @returns whether it was */
  async retire(): Promise<boolean> {
    if (this.ending || !(await this.kernel.takeLink(this.cookie))) return false;
    this.destroy();
    return true;
  }

  /** Ends it with the request of a caller whose connection is gone, and of which programs know nothing any more. */
  abandon(caller: bigint): void {
    // Its request is answered, and the link is the next one's in a moment.
    if (this.releasing) return;
    if (this.kernel.link(this.cookie)?.caller === caller) this.destroy();
  }

  /** Ends it, whoever has it. */
  async end(): Promise<void> {
    if (this.ending) return;
    this.ending = true;
    await this.letCallerGo();
    await this.close();
  }

  private onData(chunk: Buffer): void {
    if (this.ending) return;
    if (this.answer !== undefined) return this.answer.execute(chunk);
    const value = this.kernel.link(this.cookie);
    const conversation = value && this.conversationOf(value.caller);
    // Unsolicited, or the rest of what was cut off on its way.
    if (conversation === undefined || value?.isPassed !== 1 || value.left > 0) {
      conversation?.end();
      this.endAnyway();
      return;
    }
    const answer = new PassedAnswer({
      caller: conversation.socket,
      link: this.socket,
      isHead: value.isHead === 1,
      onEnd: (end) => {
        this.count(answer, conversation, value);
        this.onAnswerEnd(end, conversation);
      },
    });
    this.answer = answer;
    answer.execute(chunk);
  }

  /** As the relay's own requests; programs have counted what was sent. */
  private count(
    { status, received }: PassedAnswer,
    conversation: Conversation,
    { begun, route }: LinkValue,
  ): void {
    const microseconds = Number(process.hrtime.bigint() - begun) / 1000;
    const { endpoint } = this;
    const ended = { endpoint, route, status, microseconds, bytesSent: 0, bytesReceived: received };
    if (status > 0) conversation.onCarried(ended);
  }

  private onAnswerEnd(end: PassedEnd, conversation: Conversation): void {
    this.answer = undefined;
    if (end === "broken") conversation.end();
    else if (end === "closes") conversation.endBehindAnswer();
    else conversation.handBackCarried();
    const goesOn = end === "reusable" && !this.ending;
    // Whose the next bytes are, or the server's end, is known only once it is released.
    this.socket.pause();
    this.releasing = true;
    this.released = this.kernel.release(this.cookie, goesOn).then(
      (hasRoom) => this.onReleased(conversation, goesOn && hasRoom),
      () => this.destroy(),
    );
  }

  private onReleased(conversation: Conversation, goesOn: boolean): void {
    this.releasing = false;
    conversation.wake();
    if (!goesOn) return this.destroy();
    this.rest();
    this.socket.resume();
  }

  private onServerGone(): void {
    if (this.ending) return;
    // That may be the end of an answer, which says then what becomes of the link.
    if (this.answer !== undefined) {
      this.ending = true;
      return this.answer.finish();
    }
    this.endAnyway();
  }

  private endAnyway(): void {
    this.end().catch(() => this.close());
  }

  /** Whoever has the link sees its server gone. */
  private async letCallerGo(): Promise<void> {
    await this.released;
    for (const pauseMs of [0, ...askAgainMs]) {
      if (pauseMs > 0) await sleep(pauseMs);
      if (await this.kernel.takeLink(this.cookie)) return;
      const caller = this.kernel.link(this.cookie)?.caller ?? 0n;
      if (caller === 0n) continue;
      const letGo = (): Promise<unknown> => this.kernel.release(this.cookie, false);
      await (this.conversationOf(caller)?.endAsServer(letGo) ?? letGo());
      return;
    }
  }

  private destroy(): void {
    this.ending = true;
    void this.close();
  }

  private async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    this.onGone(this);
    await this.forget().catch(() => undefined);
    this.held?.drop();
    this.socket.destroy();
  }

  /** Nothing of it stays in the kernel, wherever it was. */
  private async forget(): Promise<void> {
    await this.released;
    await this.kernel.takeLink(this.cookie);
    await this.kernel.dropLink(this.cookie);
  }
}
