import type { Duplex } from "node:stream";
import { ownAnswer } from "../policy/own-answer.ts";
import { backoffMs, shouldRetry } from "../policy/retries.ts";
import type { Forward, Outcome } from "../policy/types.ts";
import { after } from "./after.ts";
import type { Call } from "./call.ts";
import type { RequestContext } from "./caller-connection.ts";
import type { EndedRequest } from "./counters.ts";
import { addressOf } from "./endpoint-address.ts";
import { EndpointTries, type TryEvents } from "./endpoint-tries.ts";
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

/** RFC 9110 9.2.2. */
const idempotent: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"]);

const late = "the answer took too long";

/** How a request ended, for whoever counts it. */
export type ForwardingEnd = Omit<EndedRequest, "route" | "microseconds">;

/**
 * One request on its way to an endpoint and its answer on its way back, with as many attempts as the route allows. A request
 * that never got an answer is not answered by the relay, unless a rule says how: its caller sees its connection end, as it
 * would without a relay.
 */
export class Forwarding implements ExchangeEvents, TryEvents {
  private readonly call: Call;
  private readonly plan: Forward;
  private readonly context: RequestContext;
  private readonly tries: EndpointTries;
  private readonly body: RequestBody;
  private readonly ended: (end: ForwardingEnd) => void;
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
    this.tries = new EndpointTries(plan, context, this);
    const copies = plan.mirrors.map((mirrored) => new Mirroring(mirrored, call, context));
    this.body = new RequestBody(call, copies, () => this.onRequestWhole());
  }

  start(): void {
    // No function is written right where it becomes a property: README.md, "Garbage".
    const onGone = (): void => this.finish({ kind: "abandoned" });
    const onHalfClose = (): void => this.exchange?.callerEnded();
    const onDrain = (): void => this.exchange?.resume();
    this.call.onGone = onGone;
    this.call.onHalfClose = onHalfClose;
    this.call.onDrain = onDrain;
    const { budget } = this.tries;
    if (budget.requests >= budget.limits.requests) return this.refuse(503, "too many requests are under way");
    budget.requests++;
    this.counted = true;
    if (this.body.empty) this.onRequestWhole();
    this.begin();
  }

  // --- Attempts -------------------------------------------------------------------------------------------------

  private begin(): void {
    if (!this.tries.next()) this.refuse(503, "no endpoint");
  }

  onUnreachable(outcome: Outcome, why: string): void {
    this.onAttemptFailed(outcome, 503, why);
  }

  onConnection(upstream: Upstream): void {
    const perTry = this.plan.retries?.perTryTimeoutMs ?? 0;
    if (perTry > 0)
      this.attemptTimer = after(perTry, () => this.onAttemptFailed({ kind: "timeout" }, 504, late));
    try {
      this.exchange = upstream.start(outgoingRequest(this.plan.request, this.call), this);
    } catch {
      this.tries.giveBack(upstream);
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
    const { plan, context } = this;
    const { budget } = this.tries;
    if (plan.retries === undefined) return;
    if (budget.retries >= budget.limits.retries) return this.refuse(503, "too many retries are under way");
    const pauseMs = backoffMs(plan.retries, this.attempt, context.random);
    this.attempt++;
    budget.retries++;
    this.retrying = true;
    this.attemptTimer = after(pauseMs, () => this.begin());
  }

  private dropAttempt(outcome: Outcome): void {
    clearTimeout(this.attemptTimer);
    if (this.retrying) this.tries.budget.retries--;
    this.retrying = false;
    this.body.detach();
    this.exchange?.abort();
    this.exchange = undefined;
    this.tries.leave(outcome);
  }

  // --- Times ----------------------------------------------------------------------------------------------------

  private onRequestWhole(): void {
    const { limit } = this.plan;
    if (limit === undefined || this.over) return;
    this.timer = after(limit.milliseconds, () => {
      this.dropAttempt({ kind: "timeout" });
      if (this.answering) this.abort();
      else this.refuse(limit.status, late, limit.grpcStatus);
    });
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
    const endpoint = this.tries.current;
    if (endpoint !== undefined) this.context.onAnswer(endpoint, head.rawHeaders);
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
      return this.tries.anew();
    }
    if (kind === "refused") return this.onAttemptFailed({ kind: "refusedStream" }, undefined, reason);
    const outcome: Outcome = { kind: "reset", requestSent: true };
    this.onAttemptFailed(outcome, kind === "malformed" ? 502 : undefined, reason);
  }

  // --- Ends -----------------------------------------------------------------------------------------------------

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
    if (this.counted) this.tries.budget.requests--;
    const endpoint = this.tries.last;
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
