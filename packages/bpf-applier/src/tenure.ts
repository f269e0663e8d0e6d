import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import { AdminSocket, adminPaths, isAlive } from "./admin.ts";
import { AgentRefusal, askAgent } from "./admin-client.ts";
import type { NodeAgent } from "./node-agent.ts";

export interface TenureOptions {
  readonly node: string;
  /** Path of the socket by which a node has one agent. */
  readonly socket: string;
  /** Whether an agent that is there is asked to give the node up; else there cannot be two. */
  readonly takeOver: boolean;
  /** Begins to serve the node. @param held is disposed of when the agent has ended, or could not start */
  readonly start: (held: DisposableStack) => Promise<NodeAgent>;
  /** Who answers while nothing is done here. @param why what he says */
  readonly idle: (why: string) => NodeAgent;
  /** Between two looks at whether the agent that has taken over is there, in milliseconds; 1,000 if left out. */
  readonly lookMs?: number;
  readonly logger: Logger;
}

const defaultLookMs = 1_000;
/** So many in a row that found none: it is not about to start, either, which is done within some milliseconds of taking over. */
const looksInVain = 5;
/** Between two attempts to reach an agent that starts just now, in milliseconds. */
const startingMs = 100;

/**
 * A process's time as the agent of its node. One that another process has asked for the node stands by from then on: it serves the
 * node again if that one is gone, as a pod may be that follows another and does not come up.
 */
export class Tenure {
  private readonly options: TenureOptions;
  private readonly ending = new AbortController();
  private admin: AdminSocket | undefined;
  private given: Promise<void> | undefined;
  /** Settles when it is not about to begin any more. */
  private beginning: Promise<void> = Promise.resolve();
  /** What this process has while its agent serves the node. */
  private held = new DisposableStack();
  /** Who serves the node for this process. */
  agent: NodeAgent;

  constructor(options: TenureOptions) {
    this.options = options;
    this.agent = options.idle("its agent is about to start");
  }

  /**
   * Resolves when the node is served, or this was asked to end meanwhile.
   * @throws Error if the node is another agent's, or cannot be served
   */
  async begin(): Promise<void> {
    if (this.options.takeOver) await this.askForTheNode();
    await this.serve();
  }

  get ended(): boolean {
    return this.ending.signal.aborted;
  }

  /** Ends this process's part. Until all has ended, the node is no other agent's. */
  async end(): Promise<void> {
    this.ending.abort();
    // What is half done cannot be undone; it is done, and then ended. Why it could not be is told to who began it.
    await this.beginning.catch(() => undefined);
    const { agent, admin } = this;
    this.replace(this.options.idle("its agent is about to end"));
    await agent.close().finally(() => {
      this.held.dispose();
      admin?.close();
    });
  }

  private async askForTheNode(): Promise<void> {
    const { socket, node, logger } = this.options;
    while (!this.ended && (await isAlive(socket))) {
      logger.info({ node, admin: socket }, "another agent serves this node, and is asked to give it up");
      await askAgent(socket, adminPaths.giveUp, "POST").catch(async (error: Error) => {
        if (!(error instanceof AgentRefusal) || error.status !== 503) throw error;
        await delay(startingMs);
      });
    }
  }

  private serve(): Promise<void> {
    if (!this.ended) this.beginning = this.startHere();
    return this.beginning;
  }

  private async startHere(): Promise<void> {
    const { socket, node, start, logger } = this.options;
    const admin = await AdminSocket.claim(socket);
    this.admin = admin;
    this.held = new DisposableStack();
    try {
      this.agent = await start(this.held);
    } catch (error) {
      this.held.dispose();
      admin.close();
      throw error;
    }
    if (this.ended) return;
    this.given = undefined;
    this.replace(this.agent);
    logger.info({ node, admin: socket }, "serving the node");
  }

  private replace(agent: NodeAgent): void {
    this.agent = agent;
    this.admin?.serve(agent, { uninstall: () => this.uninstall(), giveUp: () => this.giveUp() });
  }

  private uninstall(): Promise<number> {
    const { agent } = this;
    this.replace(this.options.idle("it was uninstalled; a new start of the agent installs it again"));
    return agent.release().finally(() => this.held.dispose());
  }

  private giveUp(): Promise<void> {
    this.given ??= this.leaveTheNode();
    return this.given;
  }

  private async leaveTheNode(): Promise<void> {
    const { options, agent, admin } = this;
    options.logger.info({ node: options.node }, "another agent takes this node over; this one stands by");
    this.replace(options.idle("another agent takes it over"));
    await agent.giveUp();
    this.held.dispose();
    admin?.leave();
    this.admin = undefined;
    this.standBy().catch((error: Error) => {
      if (this.ended) return;
      options.logger.fatal({ err: error }, "this node has no agent, and cannot be served");
      process.exit(1);
    });
  }

  private async standBy(): Promise<void> {
    const { socket, node, lookMs = defaultLookMs, logger } = this.options;
    const { signal } = this.ending;
    for (let inVain = 0; inVain < looksInVain; ) {
      await delay(lookMs, undefined, { signal });
      inVain = (await isAlive(socket)) ? 0 : inVain + 1;
    }
    logger.warn({ node }, "the agent that took this node over is gone; this one serves it again");
    await this.serve();
  }
}
