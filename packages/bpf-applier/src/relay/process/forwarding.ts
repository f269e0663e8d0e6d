import type { Duplex } from "node:stream";
import type { Endpoint } from "@keelson/protos/policy";
import { ownAnswer } from "../policy/own-answer.ts";
import { backoffMs, shouldRetry } from "../policy/retries.ts";
import type { Balancer, Forward, Outcome } from "../policy/types.ts";
import { after } from "./after.ts";
import type { Call } from "./call.ts";
import type { RequestContext } from "./caller-connection.ts";
import type { EndedRequest } from "./counters.ts";
import type { DestinationLinks } from "./destination-links.ts";
import { addressOf } from "./endpoint-address.ts";
import { forwardedFields } from "./header-fields.ts";
import type {
  AnswerFraming,
  BodyReceiver,
  Exchange,
  ExchangeEvents,
  ExchangeFailure,
  ResponseHead,
  Upstream,
} from "./message.ts";
import { Mirroring } from "./mirroring.ts";
import { outgoingRequest } from "./outgoing-request.ts";
import { answerItself } from "./own-answer.ts";
import { countWritten, descriptorOf } from "./plain-socket.ts";
import { RequestBody } from "./request-body.ts";
import { splice } from "./splice.ts";
import { Overflow } from "./upstream-pool.ts";

/** RFC 9110 9.2.2. */
const idempotent: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"]);

/** How a request ended, for whoever counts it. */
export type ForwardingEnd = Omit<EndedRequest, "route" | "microseconds">;

/**
 * One request on its way to an endpoint and its answer on its way back, with as many attempts as the route allows. A request
 * that never got an answer is not answered by the relay, unless a rule says how: its caller sees its connection end, as it
 * would without a relay.
 */
export class Forwarding implements ExchangeEvents {
  private readonly call: Call;
  private readonly plan: Forward;
  private readonly context: RequestContext;
  private readonly balancer: Balancer;
  private readonly links: DestinationLinks;
  private readonly body: RequestBody;
  private readonly ended: (end: ForwardingEnd) => void;
  private readonly tried: Endpoint[] = [];
  private endpoint: Endpoint | undefined;
  /** The connection that the attempt waits for, or has waited for. */
  private promised: Promise<Upstream> | undefined;
  private exchange: Exchange | undefined;
  private attempt = 0;
  /** A connection that had ended unseen was replaced by a fresh one. */
  private refreshed = false;
  /** The attempt under way, or waited for, is not the first. */
  private retrying = false;
  private answering = false;
  private over = false;
  private counted = false;
  private status = 0;
  private received = 0;
  private timer: NodeJS.Timeout | undefined;
  private attemptTimer: NodeJS.Timeout | undefined;

  constructor(call: Call, plan: Forward, context: RequestContext, ended: (end: ForwardingEnd) => void) {
    this.call = call;
    this.plan = plan;
    this.context = context;
    this.ended = ended;
    this.balancer = context.balancerOf(plan.destination);
    this.links = context.linksTo(plan.destination, this.balancer);
    const copies = plan.mirrors.map((mirrored) => new Mirroring(mirrored, call, context));
    this.body = new RequestBody(call, copies, () => this.onRequestWhole());
  }

  start(): void {
    // No function is written right where it becomes a property: README.md, "Garbage".
    const onGone = (): void => this.onCallerGone();
    const onHalfClose = (): void => this.exchange?.callerEnded();
    const onDrain = (): void => this.exchange?.resume();
    this.call.onGone = onGone;
    this.call.onHalfClose = onHalfClose;
    this.call.onDrain = onDrain;
    const { budget } = this.links;
    if (budget.requests >= budget.limits.requests) return this.refuse(503, "too many requests are under way");
    budget.requests++;
    this.counted = true;
    if (this.body.empty) this.onRequestWhole();
    this.tryEndpoint(false);
  }

  // --- Attempts -------------------------------------------------------------------------------------------------

  /** @param fresh on a connection that has carried nothing yet, to the same endpoint */
  private tryEndpoint(fresh: boolean): void {
    if (!fresh) {
      const { hash, retries } = this.plan;
      const tried = retries?.avoidsPrevious === true ? this.tried : [];
      this.endpoint = this.balancer.pick({ hash, tried, random: this.context.random }, performance.now());
      if (this.endpoint === undefined) return this.refuse(503, "no endpoint");
      this.balancer.started(this.endpoint);
    }
    const { endpoint } = this;
    if (endpoint === undefined) return;
    try {
      const upstream = this.links.poolOf(endpoint).acquire(fresh);
      if (!(upstream instanceof Promise)) return this.send(upstream);
      this.promised = upstream;
      upstream.then(
        (opened) => this.onAcquired(opened, endpoint),
        (error: unknown) => this.onUnreachable(error),
      );
    } catch (error) {
      this.onUnreachable(error);
    }
  }

  private onAcquired(upstream: Upstream, endpoint: Endpoint): void {
    if (this.over || this.endpoint !== endpoint) this.links.poolOf(endpoint).giveBack(upstream);
    else this.send(upstream);
  }

  private onUnreachable(error: unknown): void {
    if (this.over) return;
    if (error instanceof Overflow) this.onAttemptFailed({ kind: "overflow" }, 503, error.message);
    else this.onAttemptFailed({ kind: "connectFailure" }, 503, "the endpoint cannot be reached");
  }

  private send(upstream: Upstream): void {
    const perTry = this.plan.retries?.perTryTimeoutMs ?? 0;
    if (perTry > 0) this.attemptTimer = after(perTry, () => this.onAttemptLate());
    try {
      this.exchange = upstream.start(outgoingRequest(this.plan.request, this.call), this);
    } catch {
      if (this.endpoint !== undefined) this.links.poolOf(this.endpoint).giveBack(upstream);
      return this.refuse(500, "the rule makes a request that cannot be sent");
    }
    this.body.sendTo(this.exchange, this.mayRetry());
    if (this.call.halfClosed) this.exchange.callerEnded();
  }

  /** Another attempt may follow this one. */
  private mayRetry(): boolean {
    return this.plan.retries !== undefined && this.attempt < this.plan.retries.retries;
  }

  /** @param status of the answer where no other attempt follows; undefined: the caller sees its connection end */
  private onAttemptFailed(outcome: Outcome, status: number | undefined, why: string): void {
    this.dropAttempt(outcome);
    if (this.answering) return this.abort();
    if (this.isRetried(outcome)) this.tryAgain();
    else if (status === undefined) this.abort();
    else this.refuse(status, why);
  }

  private isRetried(outcome: Outcome): boolean {
    return this.body.repeatable && shouldRetry(this.plan.retries, this.attempt, outcome);
  }

  private tryAgain(): void {
    const { plan, links, context } = this;
    const { budget } = links;
    if (plan.retries === undefined) return;
    if (budget.retries >= budget.limits.retries) return this.refuse(503, "too many retries are under way");
    const pauseMs = backoffMs(plan.retries, this.attempt, context.random);
    this.attempt++;
    budget.retries++;
    this.retrying = true;
    this.attemptTimer = after(pauseMs, () => this.tryEndpoint(false));
  }

  private dropAttempt(outcome: Outcome): void {
    clearTimeout(this.attemptTimer);
    if (this.retrying) this.links.budget.retries--;
    this.retrying = false;
    this.body.detach();
    this.exchange?.abort();
    this.exchange = undefined;
    const { endpoint, promised } = this;
    this.endpoint = undefined;
    this.promised = undefined;
    if (endpoint === undefined) return;
    if (promised !== undefined) this.links.poolOf(endpoint).giveUp(promised);
    this.tried.push(endpoint);
    this.balancer.ended(endpoint, outcome, performance.now());
  }

  // --- Times ----------------------------------------------------------------------------------------------------

  private onRequestWhole(): void {
    const { limit } = this.plan;
    if (limit === undefined || this.over) return;
    this.timer = after(limit.milliseconds, () => {
      this.dropAttempt({ kind: "timeout" });
      if (this.answering) this.abort();
      else this.refuse(limit.status, "the answer took too long", limit.grpcStatus);
    });
  }

  private onAttemptLate(): void {
    this.onAttemptFailed({ kind: "timeout" }, 504, "the answer took too long");
  }

  // --- What the endpoint says -----------------------------------------------------------------------------------

  onInformational(head: ResponseHead): void {
    this.call.inform({ ...head, rawHeaders: forwardedFields(head.rawHeaders, false) });
  }

  onHead(head: ResponseHead, framing: AnswerFraming): void {
    clearTimeout(this.attemptTimer);
    const outcome: Outcome = { kind: "answer", status: head.status, rawHeaders: head.rawHeaders };
    if (this.isRetried(outcome)) {
      this.dropAttempt(outcome);
      return this.tryAgain();
    }
    if (this.endpoint !== undefined) this.context.onAnswer(this.endpoint, head.rawHeaders);
    this.call.answer(this.answerHead(head), framing);
    this.answering = true;
    this.status = head.status;
  }

  private answerHead({ status, reason, rawHeaders }: ResponseHead): ResponseHead {
    return {
      status,
      reason,
      rawHeaders: this.plan.answerHeaders(forwardedFields(rawHeaders, status === 101)),
    };
  }

  onBody(chunk: Buffer): void {
    this.received += chunk.length;
    if (!this.call.write(chunk)) this.exchange?.pause();
  }

  letGo(): boolean {
    return this.call.letGo?.() === true;
  }

  bodyReceiver(): BodyReceiver | undefined {
    const connection = this.call.plainConnection?.();
    const descriptor = connection === undefined ? undefined : descriptorOf(connection);
    if (connection === undefined || descriptor === undefined) return undefined;
    return {
      descriptor,
      onMoved: (bytes) => {
        this.received += bytes;
        countWritten(connection, bytes);
      },
      onFailed: () => this.abort(),
    };
  }

  onEnd(rawTrailers: readonly string[]): void {
    this.exchange = undefined;
    this.call.end(forwardedFields(rawTrailers, false));
    this.finish({ kind: "answer", status: this.status, rawHeaders: [] });
  }

  onDrain(): void {
    this.body.resume();
  }

  onUpgrade(head: ResponseHead, connection: Duplex, rest: Buffer): void {
    this.exchange = undefined;
    if (this.call.upgrade === undefined) {
      connection.destroy();
      return this.onAttemptFailed(
        { kind: "reset", requestSent: true },
        502,
        "a protocol that nobody asked for",
      );
    }
    let caller: Duplex;
    try {
      caller = this.call.switchTo(this.answerHead(head));
    } catch {
      connection.destroy();
      return this.abort();
    }
    caller.write(rest);
    splice(caller, connection, ({ received }) => {
      this.received += received;
      this.finish({ kind: "answer", status: head.status, rawHeaders: [] });
    });
  }

  onFailure({ kind, reason, reused }: ExchangeFailure): void {
    this.exchange = undefined;
    if (reused && !this.refreshed && this.body.empty && idempotent.has(this.plan.request.method)) {
      this.refreshed = true;
      clearTimeout(this.attemptTimer);
      return this.tryEndpoint(true);
    }
    if (kind === "refused") return this.onAttemptFailed({ kind: "refusedStream" }, undefined, reason);
    const outcome: Outcome = { kind: "reset", requestSent: true };
    this.onAttemptFailed(outcome, kind === "malformed" ? 502 : undefined, reason);
  }

  // --- Ends -----------------------------------------------------------------------------------------------------

  private onCallerGone(): void {
    this.finish({ kind: "abandoned" });
  }

  /** @param grpcStatus what who speaks gRPC gets, if not by the status */
  private refuse(status: number, why: string, grpcStatus?: number): void {
    const own = { status, body: why, ...(grpcStatus !== undefined && { grpcStatus }) };
    const { rawHeaders, body, ...answer } = ownAnswer(this.call.head, own);
    this.status = answer.status;
    try {
      answerItself(this.call, answer.status, this.plan.ownAnswerHeaders(rawHeaders), body);
    } catch {
      return this.abort(); // the rule makes no answer that can be sent
    }
    this.finish({ kind: "abandoned" });
  }

  private abort(): void {
    this.status = 503;
    this.call.abort();
    this.finish({ kind: "abandoned" });
  }

  private finish(outcome: Outcome): void {
    if (this.over) return;
    this.over = true;
    clearTimeout(this.timer);
    if (this.counted) this.links.budget.requests--;
    const endpoint = this.endpoint ?? this.tried.at(-1);
    this.dropAttempt(outcome);
    this.body.close();
    this.ended({
      endpoint: endpoint === undefined ? "" : addressOf(endpoint).text,
      status: this.status,
      bytesSent: this.body.bytes,
      bytesReceived: this.received,
    });
  }
}
