import { create } from "@bufbuild/protobuf";
import type { HttpMatch } from "@keelson/protos/match";
import type { PortRoute } from "@keelson/protos/policy";
import { type HttpRoute, RedirectSchema } from "@keelson/protos/route";
import { routeName } from "../../route-name.ts";
import { type CorsVerdict, corsOf } from "./cors.ts";
import { faultDraw, type Mishap } from "./fault.ts";
import { type Asked, Forwarding } from "./forwarding.ts";
import { changed, type HeaderChanges, headerChanges } from "./header-changes.ts";
import { type OwnAnswer, ownAnswer } from "./own-answer.ts";
import type { ParsedRequest } from "./parsed-request.ts";
import { redirection } from "./redirect.ts";
import type { Answer, Decision, RawHeaders } from "./types.ts";

/** A match of a route; none: it takes all requests. */
export interface RulePlace {
  readonly portRoute: PortRoute;
  readonly route: HttpRoute;
  readonly match: HttpMatch | undefined;
  /** Of the route, among those of the port, from 1 on. */
  readonly number: number;
}

/** What is done with requests that come by one match of a route. */
export class Rule {
  /** As counters name it. */
  readonly name: string;
  private readonly number: number;
  private readonly drawFault: (random: () => number) => Mishap;
  private readonly cors: (request: ParsedRequest) => CorsVerdict;
  private readonly answerChanges: HeaderChanges | undefined;
  private readonly answersItself: ((request: ParsedRequest) => OwnAnswer) | undefined;
  private readonly forwarding: Forwarding;

  /**
   * @param port what the caller dialled
   * @throws Error for a rewrite that is no regular expression of RE2
   */
  constructor({ portRoute, route, match, number }: RulePlace, port: number) {
    const [only] = route.destinations.length === 1 ? route.destinations : [];
    this.number = number;
    this.name = routeName(route, match);
    this.drawFault = faultDraw(route.fault);
    this.cors = corsOf(route.cors);
    this.answerChanges = headerChanges(route.responseHeaders, only?.responseHeaders);
    this.answersItself = answerOf(route, match, port);
    this.forwarding = new Forwarding(portRoute, route, match);
  }

  /**
   * In the order of Envoy's filters: fault, CORS, then what the route itself says; a route that answers itself has no CORS. The
   * destination is drawn before all of them: what it does to headers of answers is done to each, whoever answers.
   */
  decide(asked: Asked): Decision {
    const destination = this.forwarding.choose(asked.random);
    const change = (raw: RawHeaders): RawHeaders =>
      changed(changed(raw, destination?.answerChanges), this.answerChanges);
    const { delayMs, abort } = this.drawFault(asked.random);
    // A route that answers itself has no say in what answers before it.
    if (abort !== undefined) return this.answer(asked, delayMs, abort, this.answersItself ? same : change);
    const own = this.answersItself?.(asked.request);
    if (own !== undefined) return this.answer(asked, delayMs, own, change);
    const { preflight, answerHeaders } = this.cors(asked.request);
    if (preflight !== undefined) {
      // Browsers ask, whatever they say that they are going to send.
      const body = new Uint8Array();
      return { kind: "answer", route: this.name, delayMs, status: 200, rawHeaders: preflight, body };
    }
    const changeLast = (raw: RawHeaders): RawHeaders => answerHeaders(change(raw));
    if (destination === undefined) return this.answer(asked, delayMs, noDestination, changeLast);
    const forward = this.forwarding.of(asked, destination, change, answerHeaders);
    return forward === undefined
      ? this.answer(asked, delayMs, noPath, changeLast)
      : { ...forward, route: this.name, rule: this.number, delayMs };
  }

  private answer(
    { head }: Asked,
    delayMs: number,
    own: OwnAnswer,
    change: (raw: RawHeaders) => RawHeaders,
  ): Answer {
    const rawHeaders = change(own.rawHeaders ?? []);
    return { kind: "answer", route: this.name, delayMs, ...ownAnswer(head, { ...own, rawHeaders }) };
  }
}

const same = (raw: RawHeaders): RawHeaders => raw;

/** Of a rule that leads nowhere. */
const noDestination: OwnAnswer = { status: 503, body: "no destination" };
/** Of a rewrite that leaves no path. */
const noPath: OwnAnswer = { status: 400 };

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
  if (status !== 201 && (status < 300 || status > 399)) return () => ({ status, body });
  // Envoy says where of every status that has a place: here, as no rule can say it.
  const { location } = redirection(create(RedirectSchema), match, port);
  return (request) => ({ status, body, rawHeaders: ["location", location(request)] });
}
