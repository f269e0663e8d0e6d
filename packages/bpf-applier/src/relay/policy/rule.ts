import type { HttpMatch } from "@keelson/protos/match";
import type { PortRoute } from "@keelson/protos/policy";
import type { HttpRoute } from "@keelson/protos/route";
import { type CorsVerdict, corsOf } from "./cors.ts";
import { faultDraw, type Mishap } from "./fault.ts";
import { type Asked, Forwarding } from "./forwarding.ts";
import { changed, type HeaderChanges, headerChanges } from "./header-changes.ts";
import { type OwnAnswer, ownAnswer } from "./own-answer.ts";
import type { ParsedRequest } from "./parsed-request.ts";
import { redirection } from "./redirect.ts";
import type { Answer, Decision } from "./types.ts";

/** What is done with requests that come by one match of a route. */
export class Rule {
  /** As counters name it: the route's and the match's name, or the object that says so. */
  readonly name: string;
  private readonly drawFault: (random: () => number) => Mishap;
  private readonly cors: (request: ParsedRequest) => CorsVerdict;
  private readonly answerChanges: HeaderChanges | undefined;
  private readonly answersItself: ((request: ParsedRequest) => OwnAnswer) | undefined;
  private readonly forwarding: Forwarding;

  /**
   * @param port what the caller dialled
   * @throws Error for a rewrite that is no regular expression of RE2
   */
  constructor(portRoute: PortRoute, route: HttpRoute, match: HttpMatch | undefined, port: number) {
    const [only] = route.destinations.length === 1 ? route.destinations : [];
    this.name = [route.name, match?.name].filter(Boolean).join(".") || route.rule;
    this.drawFault = faultDraw(route.fault);
    this.cors = corsOf(route.cors);
    this.answerChanges = headerChanges(route.responseHeaders, only?.responseHeaders);
    this.answersItself = answerOf(route, match, port);
    this.forwarding = new Forwarding(portRoute, route, match);
  }

  /** In the order of Envoy's filters: fault, CORS, then what the route itself says. */
  decide(asked: Asked): Decision {
    const { delayMs, abort } = this.drawFault(asked.random);
    if (abort !== undefined) return this.answer(asked, delayMs, abort);
    const { preflight, answerHeaders } = this.cors(asked.request);
    if (preflight !== undefined) return this.answer(asked, delayMs, { status: 200, rawHeaders: preflight });
    const own = this.answersItself?.(asked.request);
    if (own !== undefined) {
      const rawHeaders = changed(own.rawHeaders ?? [], this.answerChanges);
      const answer = this.answer(asked, delayMs, { ...own, rawHeaders });
      return { ...answer, rawHeaders: answerHeaders(answer.rawHeaders) };
    }
    const forward = this.forwarding.of(asked, this.answerChanges, answerHeaders);
    return forward === undefined
      ? this.answer(asked, delayMs, noDestination)
      : { ...forward, route: this.name, delayMs };
  }

  private answer({ head }: Asked, delayMs: number, own: OwnAnswer): Answer {
    return { kind: "answer", route: this.name, delayMs, ...ownAnswer(head, own) };
  }
}

/** Of a rule that leads nowhere. */
const noDestination: OwnAnswer = { status: 503, body: "no destination" };

function answerOf(
  { redirect, directResponse, destinations }: HttpRoute,
  match: HttpMatch | undefined,
  port: number,
): ((request: ParsedRequest) => OwnAnswer) | undefined {
  if (redirect !== undefined) {
    const { status, location } = redirection(redirect, match, port);
    return (request) => ({ status, rawHeaders: ["location", location(request)] });
  }
  if (directResponse === undefined || destinations.length > 0) return undefined;
  const { status, body } = directResponse;
  return () => ({ status, body });
}
