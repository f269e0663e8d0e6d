import type { Endpoint } from "@keelson/protos/policy";
import type { Answer, Balancer, Decision, DestinationRef } from "../policy/types.ts";
import { after } from "./after.ts";
import type { Call } from "./call.ts";
import type { CallerConnection, RequestContext } from "./caller-connection.ts";
import { linksOf } from "./connection-links.ts";
import type { EndedRequest } from "./counters.ts";
import { Forwarding } from "./forwarding.ts";
import { answerItself } from "./own-answer.ts";
import type { PolicyState } from "./policy-state.ts";
import type { RequestTap } from "./request-tap.ts";
import type { Switching } from "./switching/switching.ts";

/** Answers requests by the policy: each by the one that holds when its head has come. */
export class RequestHandler {
  /** Since the start. */
  requests = 0;
  private readonly policy: PolicyState;
  private readonly tap: RequestTap;
  private readonly random: () => number;
  private readonly switching: Switching | undefined;

  /** @param switching undefined: no program takes requests off the way to the relay */
  constructor(policy: PolicyState, tap: RequestTap, random: () => number, switching: Switching | undefined) {
    this.policy = policy;
    this.tap = tap;
    this.random = random;
    this.switching = switching;
  }

  /** A request has begun. */
  handle(call: Call, connection: CallerConnection): void {
    this.requests++;
    const begin = performance.now();
    const now = this.policy.service(connection.origin.service);
    if (now !== undefined) connection.service = now;
    // Rules that are gone: the caller's next connection goes past the relay.
    if (now === undefined || now.port.routes.length === 0) call.endConnection();
    orAbort(call, () => {
      const decision = connection.service.router.route(call.head, connection.caller, this.random);
      if (decision.delayMs === 0) return this.carryOut(decision, call, connection, begin);
      const later = (): void => orAbort(call, () => this.carryOut(decision, call, connection, begin));
      const timer = after(decision.delayMs, later);
      const onGone = (): void => clearTimeout(timer);
      call.onGone = onGone;
    });
  }

  private carryOut(decision: Decision, call: Call, connection: CallerConnection, begin: number): void {
    if (decision.kind === "answer") return this.answer(decision, call, connection, begin);
    const { route, rule } = decision;
    new Forwarding(call, decision, this.contextOf(connection, rule), (end) =>
      this.onEnded(call, connection, { ...end, route, microseconds: (performance.now() - begin) * 1000 }),
    ).start();
  }

  private answer(
    { route, status, rawHeaders, body }: Answer,
    call: Call,
    connection: CallerConnection,
    begin: number,
  ): void {
    answerItself(call, status, rawHeaders, body);
    const microseconds = (performance.now() - begin) * 1000;
    const end = { endpoint: "", route, status, microseconds, bytesSent: 0, bytesReceived: body.length };
    this.onEnded(call, connection, end);
  }

  private onEnded({ head }: Call, { counters, origin }: CallerConnection, ended: EndedRequest): void {
    counters.count(ended);
    this.tap.see(() => ({
      ...ended,
      endedAt: Date.now(),
      workload: origin.workload,
      service: origin.service,
      method: head.method,
      path: head.path,
    }));
  }

  private contextOf(connection: CallerConnection, rule: number): RequestContext {
    const { family, service } = connection;
    const isSwitched = connection.conversation?.isMissed === true && service.switchedRules.includes(rule);
    return {
      random: this.random,
      balancerOf: (destination: DestinationRef) => this.policy.balancers.of(destination, family),
      linksTo: (destination: DestinationRef, balancer: Balancer) =>
        linksOf(connection, destination, balancer),
      onAnswer: (endpoint: Endpoint, rawHeaders: readonly string[]) => {
        if (isSwitched) this.switching?.served(connection, endpoint, rawHeaders);
      },
    };
  }
}

/** What a rule makes of one request (a header that HTTP does not allow, say) must not end the requests of others. */
function orAbort(call: Call, action: () => void): void {
  try {
    action();
  } catch {
    call.abort();
  }
}
