import type { Endpoint } from "@keelson/protos/policy";
import type { Balancer, Mirrored, Outcome } from "../policy/types.ts";
import type { Call } from "./call.ts";
import type { RequestContext } from "./caller-connection.ts";
import type { Exchange, ExchangeEvents, ResponseHead, Upstream } from "./message.ts";
import { outgoingRequest } from "./outgoing-request.ts";
import type { UpstreamPool } from "./upstream-pool.ts";

/** Bytes of a body that wait for the copy's endpoint; one that is slower gets no copy. */
const mostHeld = 262_144;
/** Each piece counts so many more: it is kept as an object of its own. */
const pieceOverhead = 256;
/** A copy is given up after that. */
const longestMs = 15_000;

/** A copy of a request on its way. Nobody waits for its answer; what becomes of it changes nothing for the caller. */
export class Mirroring implements ExchangeEvents {
  private readonly mirrored: Mirrored;
  private readonly call: Call;
  private readonly balancer: Balancer;
  private endpoint: Endpoint | undefined;
  private pool: UpstreamPool | undefined;
  /** The connection that it waits for, or has waited for. */
  private promised: Promise<Upstream> | undefined;
  private exchange: Exchange | undefined;
  /** Came before there was a connection. */
  private held: Buffer[] = [];
  private heldBytes = 0;
  private whole: boolean;
  private over = false;
  private timer: NodeJS.Timeout | undefined;

  constructor(mirrored: Mirrored, call: Call, context: RequestContext) {
    this.mirrored = mirrored;
    this.call = call;
    this.whole = call.body === undefined;
    this.balancer = context.balancerOf(mirrored.destination);
    this.start(context);
  }

  /** A piece of the request's body. */
  write(chunk: Buffer): void {
    if (this.over) return;
    if (this.exchange === undefined) this.held.push(chunk);
    else if (this.exchange.write(chunk)) return;
    this.heldBytes += chunk.length + pieceOverhead;
    if (this.heldBytes > mostHeld) this.giveUp();
  }

  /** The request's body is whole. */
  end(): void {
    this.whole = true;
    this.exchange?.end(this.call.trailers());
  }

  /** The request will not be whole. */
  giveUp(): void {
    this.exchange?.abort();
    this.finish({ kind: "abandoned" });
  }

  onInformational(): void {}

  onHead({ status, rawHeaders }: ResponseHead): void {
    const { endpoint } = this;
    this.endpoint = undefined;
    if (endpoint !== undefined) {
      this.balancer.ended(endpoint, { kind: "answer", status, rawHeaders }, performance.now());
    }
  }

  onBody(): void {}

  letGo(): boolean {
    return true;
  }

  onEnd(): void {
    this.finish({ kind: "abandoned" });
  }

  onDrain(): void {
    this.heldBytes = 0;
  }

  onUpgrade(_head: ResponseHead, connection: { destroy(): void }): void {
    connection.destroy();
    this.finish({ kind: "abandoned" });
  }

  onFailure(): void {
    this.finish({ kind: "reset", requestSent: true });
  }

  private start(context: RequestContext): void {
    const { destination, hash } = this.mirrored;
    const links = context.linksTo(destination, this.balancer);
    const endpoint = this.balancer.pick({ hash, tried: [], random: context.random }, performance.now());
    if (endpoint === undefined) return this.finish({ kind: "abandoned" });
    this.endpoint = endpoint;
    this.balancer.started(endpoint);
    this.timer = setTimeout(() => this.giveUp(), longestMs).unref();
    const pool = links.poolOf(endpoint);
    this.pool = pool;
    const acquired = async (): Promise<void> => {
      const found = pool.acquire(false);
      if (found instanceof Promise) this.promised = found;
      const upstream = await found;
      if (this.over || !this.send(upstream)) pool.giveBack(upstream);
    };
    acquired().catch(() => this.finish({ kind: "connectFailure" }));
  }

  /** @returns false: the rule makes a request that cannot be sent */
  private send(upstream: Upstream): boolean {
    try {
      this.exchange = upstream.start(outgoingRequest(this.mirrored.request, this.call), this);
    } catch {
      this.finish({ kind: "abandoned" });
      return false;
    }
    for (const chunk of this.held) this.exchange.write(chunk);
    this.held = [];
    this.heldBytes = 0;
    if (this.whole && this.call.body !== undefined) this.exchange.end(this.call.trailers());
    return true;
  }

  private finish(outcome: Outcome): void {
    this.over = true;
    this.held = [];
    clearTimeout(this.timer);
    const { endpoint, promised } = this;
    this.endpoint = undefined;
    this.promised = undefined;
    if (promised !== undefined) this.pool?.giveUp(promised);
    if (endpoint !== undefined) this.balancer.ended(endpoint, outcome, performance.now());
  }
}
