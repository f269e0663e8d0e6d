import type { HttpMatch } from "@keelson/protos/match";
import type { PortRoute } from "@keelson/protos/policy";
import type { HttpRoute } from "@keelson/protos/route";
import type { ConsistentHash } from "@keelson/protos/traffic-policy";
import { type HashKey, hashKey, noKey } from "./hash-key.ts";
import { authorityOf, changed, type HeaderChanges, headerChanges, withHost } from "./header-changes.ts";
import { drawnMirrors, type Mirror, mirrored, mirrorsOf } from "./mirrors.ts";
import { Headers, type ParsedRequest } from "./parsed-request.ts";
import { type PathRewrite, pathRewrite } from "./path-rewrite.ts";
import { retryPlan } from "./retries.ts";
import { type RuleDestination, ruleDestinations } from "./route-destinations.ts";
import { timeLimit } from "./time-limit.ts";
import type {
  Caller,
  DestinationRef,
  Forward,
  RawHeaders,
  RequestHead,
  RequestToSend,
  RetryPlan,
} from "./types.ts";
import { weightedChoice } from "./weighted-choice.ts";

/** One request, and what it is decided by. */
export interface Asked {
  readonly head: RequestHead;
  readonly request: ParsedRequest;
  readonly caller: Caller;
  /** 0 up to 1, as Math.random. */
  readonly random: () => number;
}

type ChangeHeaders = (raw: RawHeaders) => RawHeaders;

/** How a request is made into the one that an endpoint gets. */
export class Forwarding {
  private readonly draw: ((random: () => number) => RuleDestination) | undefined;
  private readonly changes: HeaderChanges | undefined;
  private readonly rewritePath: PathRewrite | undefined;
  private readonly authority: string;
  private readonly hashes: readonly ConsistentHash[];
  private readonly mirrors: readonly Mirror[];
  private readonly retries: RetryPlan | undefined;
  private readonly limitMs: bigint | undefined;

  constructor(portRoute: PortRoute, route: HttpRoute, match: HttpMatch | undefined) {
    const destinations = ruleDestinations(portRoute);
    const [only] = route.destinations.length === 1 ? route.destinations : [];
    this.draw = destinations.length === 0 ? undefined : weightedChoice(destinations);
    this.changes = headerChanges(route.requestHeaders, only?.requestHeaders);
    this.rewritePath = pathRewrite(route.rewrite, match);
    this.authority =
      route.rewrite?.authority || authorityOf(route.requestHeaders) || authorityOf(only?.requestHeaders);
    this.hashes = destinations.flatMap(({ ref }) => ref.policy?.loadBalancer?.consistentHash ?? []);
    this.mirrors = mirrorsOf(portRoute);
    const hashed = destinations.length === 1 && this.hashes.length > 0;
    this.retries = retryPlan(route.retries, hashed, Number(route.timeoutMs ?? 0n));
    this.limitMs = route.timeoutMs;
  }

  /** @returns undefined: the route has no destination */
  choose(random: () => number): RuleDestination | undefined {
    return this.draw?.(random);
  }

  /**
   * @param change what the destination and the route do to the headers of any answer
   * @param last what is done to them after that
   * @returns undefined: the rewritten path is none
   */
  of(
    asked: Asked,
    destination: RuleDestination,
    change: ChangeHeaders,
    last: ChangeHeaders,
  ): Omit<Forward, "route" | "rule" | "delayMs"> | undefined {
    const { request, random } = asked;
    const toSend = this.requestToSend(asked, destination);
    if (!toSend.path.startsWith("/")) return undefined;
    const { hash, cookies } = this.keyOf(asked, toSend, destination.ref);
    const ofCookies = cookies.flatMap((cookie) => ["set-cookie", cookie]);
    return {
      kind: "forward",
      destination: destination.ref,
      request: toSend,
      hash,
      limit: timeLimit(this.limitMs, request),
      retries: this.retries,
      mirrors: drawnMirrors(this.mirrors, random).map(({ ref }) => ({
        destination: ref,
        request: mirrored(toSend),
        hash: this.keyOf(asked, toSend, ref).hash,
      })),
      answerHeaders: (raw) => last(ofCookies.length === 0 ? change(raw) : [...change(raw), ...ofCookies]),
      ownAnswerHeaders: (raw) => last(change(raw)),
    };
  }

  private requestToSend({ head, request }: Asked, destination: RuleDestination): RequestToSend {
    const authority = this.authority || destination.authority || request.authority;
    const path = this.rewritePath?.(request.path) ?? request.path;
    const raw = changed(changed(head.rawHeaders, destination.requestChanges), this.changes);
    return {
      method: head.method,
      path: path + request.query,
      authority,
      rawHeaders: withHost(raw, authority),
    };
  }

  /** Only destinations that are chosen by a key have one: for others no cookie is made. */
  private keyOf({ request, caller }: Asked, toSend: RequestToSend, { policy }: DestinationRef): HashKey {
    if (policy?.loadBalancer?.consistentHash === undefined) return noKey;
    const { authority, rawHeaders } = toSend;
    const pseudo = { ...request, authority };
    return hashKey(this.hashes, { ...pseudo, headers: new Headers(pseudo, rawHeaders) }, caller);
  }
}
