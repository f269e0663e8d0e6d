import { rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { MessageStream } from "../message-stream.ts";
import type { Hello, Question } from "../messages.ts";
import { AgentLine } from "./agent-line.ts";
import type { RelayCore } from "./relay-core.ts";

/** Milliseconds that the next agent is waited for when the one before is gone. */
const loneMs = 30_000;
/** Milliseconds that callers are given to go when nobody came. */
const graceMs = 2_000;

export interface LinesOptions {
  /** Socket by which an agent that comes later speaks to the relay; undefined: it ends with the one that has started it. */
  readonly line?: string | undefined;
  /** As in {@link Hello}. */
  readonly identity: string;
}

/**
 * The agents of a relay: one, or two for a moment, where the next one comes before the one before is gone. Without one it goes on
 * by what it was told last, for a while.
 */
export class AgentLines {
  private readonly core: RelayCore;
  private readonly options: LinesOptions;
  private server: Server | undefined;
  private readonly lines = new Set<AgentLine>();
  private lone: NodeJS.Timeout | undefined;
  /** An agent has said that this is the end, or none came; resolves when it is. Nobody gets this relay any more. */
  private ending: Promise<void> | undefined;

  private constructor(core: RelayCore, options: LinesOptions) {
    this.core = core;
    this.options = options;
  }

  /**
   * @param first to the agent that has started this process
   * @throws Error if the socket for others cannot be made
   */
  static async open(core: RelayCore, first: Socket, options: LinesOptions): Promise<AgentLines> {
    const lines = new AgentLines(core, options);
    if (options.line !== undefined) await lines.listen(options.line);
    lines.take(first);
    return lines;
  }

  /** Ends it now, unless an agent is there, who says when. */
  endIfLone(): void {
    if (this.lines.size > 0 || this.ending !== undefined) return;
    clearTimeout(this.lone);
    this.end();
  }

  private async listen(path: string): Promise<void> {
    rmSync(path, { force: true }); // whoever has started this process has found that none answers there
    process.umask(0o177);
    const server = createServer((socket) => this.take(socket));
    this.server = server;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    server.once("error", reject);
    server.listen(path, resolve);
    await promise;
  }

  private take(socket: Socket): void {
    if (this.ending !== undefined) {
      socket.destroy();
      return;
    }
    const stream = new MessageStream(
      socket,
      (message) => this.onQuestion(line, message as Question),
      () => this.onEnd(line),
    );
    const line = new AgentLine(this.core, (message, sent) => stream.send(message, sent));
    this.lines.add(line);
    clearTimeout(this.lone);
    const { identity } = this.options;
    const networks = this.core.listensIn();
    stream.send({ kind: "hello", identity, pid: process.pid, networks } satisfies Hello);
  }

  private onQuestion(line: AgentLine, question: Question): void {
    const taken = line.take(question);
    if (question.call === "close" || question.call === "handOver")
      this.ending ??= taken.then(() => this.exit());
  }

  private onEnd(line: AgentLine): void {
    line.close();
    this.lines.delete(line);
    this.core.tap.open([...this.lines].at(-1)?.every ?? 0);
    if (this.lines.size > 0 || this.ending !== undefined) return;
    this.lone = setTimeout(() => this.end(), this.options.line === undefined ? 0 : loneMs);
  }

  /** Nobody is accepted any more, and requests that are under way end as they would. */
  private end(): void {
    const exit = (): void => this.exit();
    this.ending = this.core.close(graceMs).then(exit, exit);
  }

  private exit(): void {
    this.server?.close();
    process.exit(0);
  }
}
