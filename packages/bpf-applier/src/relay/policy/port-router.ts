import type { PortRoute, ServicePort } from "@keelson/protos/policy";
import type { RelayService } from "../relay.ts";
import { ExpressionEffort, TooMuchToMatch } from "./expression-effort.ts";
import { requestMatcher } from "./matchers.ts";
import { ownAnswer } from "./own-answer.ts";
import { parseRequest } from "./parsed-request.ts";
import { Rule, type RulePlace } from "./rule.ts";
import { type Indexed, RuleIndex } from "./rule-index.ts";
import type { Answer, Caller, Decision, RequestHead } from "./types.ts";

interface Entry extends Indexed {
  readonly rule: Rule;
}

/** Says of each request of a service port what is to be done with it; see policy.proto, `ServicePort.routes`. */
export class PortRouter {
  private readonly rules: RuleIndex<Entry>;
  private readonly count: number;

  /** @throws Error for what is no regular expression of RE2, with the route's name */
  constructor({ port }: Pick<RelayService, "port">) {
    const entries = port.routes.flatMap((route, at) => entriesOf(route, at + 1, port));
    this.rules = new RuleIndex(entries);
    this.count = entries.length;
  }

  /** @param random 0 up to 1, as Math.random */
  route(head: RequestHead, caller: Caller, random: () => number): Decision {
    const request = parseRequest(head, new ExpressionEffort(this.count));
    if (typeof request === "number") return refusal(head, request);
    try {
      const found = this.rules.find(request, caller);
      if (found === undefined) return refusal(head, 404);
      return found.rule.decide({ head, request, caller, random });
    } catch (error) {
      if (error instanceof TooMuchToMatch) return refusal(head, 431);
      throw error;
    }
  }
}

const refusal = (head: RequestHead, status: number): Answer => ({
  kind: "answer",
  route: "",
  delayMs: 0,
  ...ownAnswer(head, { status }),
});

/** One for each match: how a path is rewritten depends on what matched. */
function entriesOf(portRoute: PortRoute, number: number, { port }: ServicePort): Entry[] {
  const { route } = portRoute;
  if (route === undefined) return [];
  const matches = route.matches.length === 0 ? [undefined] : route.matches;
  return matches.map((match) => entryOf({ portRoute, route, match, number }, port));
}

function entryOf(place: RulePlace, port: number): Entry {
  const { route, match } = place;
  try {
    const holds = match === undefined ? () => true : requestMatcher(match);
    return { match, holds, rule: new Rule(place, port) };
  } catch (cause) {
    throw new Error(`route "${route.name || route.rule}" cannot be used`, { cause });
  }
}
