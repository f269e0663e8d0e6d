import type { AdsRequest } from "./ads-request.ts";
import type { Changes, Source } from "./changes.ts";
import type { State } from "./epoch.ts";
import { Exchange, type ExchangeContext } from "./exchange.ts";
import type { InFlight } from "./in-flight.ts";
import { checkLimit, type ServerLimits } from "./limits.ts";
import type { TypeRule, TypeRules } from "./type-rules.ts";
import { TypeState } from "./type-state.ts";

export interface StreamContext extends ExchangeContext {
  readonly types: TypeRules;
  readonly limits: ServerLimits;
  /** Whether a client of the state of the world that asks for more names is sent the others again. */
  readonly answersInFull: boolean;
  /** What the node should hold now; undefined until the server has something to serve: requests wait until then. */
  readonly newest: () => State | undefined;
  /** Whether all that was sent has left for the client. */
  readonly isSent: () => boolean;
}

/**
 * The server's side of one ADS stream of either variant. One push is in flight at a time: until every response of it is
 * acked or nacked, newer states wait, and the latest wins. So a slow reader costs one push of memory.
 *
 * Make before break: what is new goes out in the order of types, stage by stage, then what is gone in the reverse order;
 * but of a type that nothing refers to both at once.
 * What is asked for meanwhile is answered at once from the state that is being pushed, one response of a type at a time.
 */
export class AdsStream {
  readonly connectedAt = new Date();
  readonly types = new Map<string, TypeState>();
  /** The same in the order of reference. */
  private ordered: readonly TypeState[] = [];
  private readonly context: StreamContext;
  private readonly exchange: Exchange;
  /** What the client is brought to, or was. */
  private state: State | undefined;
  /** The stage that is next in the push under way; undefined: none is. */
  private stage: number | undefined;
  /** Whether there may be something newer than `state`, or something of it was held back. */
  private behind = true;
  /** The push under way replaces what the client held before. */
  private isUpdate = false;
  private patience: NodeJS.Timeout | undefined;

  constructor(context: StreamContext) {
    this.context = context;
    this.exchange = new Exchange(context);
  }

  private get inFlight(): InFlight {
    return this.exchange.inFlight;
  }

  /** Since when responses wait for an answer. */
  get pendingSince(): Date | undefined {
    return this.inFlight.since;
  }

  /** @throws Refusal, if the peer asks for more than it may. */
  onRequest(request: AdsRequest): void {
    const { typeUrl } = request;
    const known = this.types.get(typeUrl);
    if (known !== undefined && this.exchange.take(request, known)) this.behind = true;
    const state = request.follow(known, () => this.open(typeUrl));
    if (state !== undefined) this.keep(state);
    this.push();
  }

  /** Brings the client to the newest state, at once or after the push in flight. */
  onNews(): void {
    const isIdle = this.stage === undefined && !this.behind && !this.inFlight.blocksPush;
    const newest = isIdle ? this.context.newest() : undefined;
    if (newest !== undefined && this.holdsAll(newest)) return;
    this.behind = true;
    this.push(newest);
  }

  /** Whether nothing of the newest state is news to the client; then it counts as brought to it. */
  private holdsAll(newest: State): boolean {
    if (newest.view !== this.state?.view) {
      for (const { rule, subscription, asked } of this.ordered)
        if (asked || !subscription.isUpTo(newest.view.resources(rule.typeUrl))) return false;
    }
    this.state = newest;
    return true;
  }

  close(): void {
    clearTimeout(this.patience);
  }

  private open(typeUrl: string): TypeState {
    const canonical = (name: string): string => this.state?.view.resources(typeUrl).get(name)?.name ?? name;
    return new TypeState(this.context.types.of(typeUrl), canonical);
  }

  private add(state: TypeState): void {
    const { types } = this.context;
    const place = ({ rule }: TypeState): number => types.placeOf(rule.typeUrl);
    this.types.set(state.rule.typeUrl, state);
    this.ordered = [...this.types.values()].sort((a, b) => place(a) - place(b));
  }

  private keep(state: TypeState): void {
    const { limits, answersInFull } = this.context;
    const { typeUrl } = state.rule;
    if (answersInFull && state.due) state.subscription.repeat();
    if (this.types.get(typeUrl) !== state) this.add(state);
    checkLimit("types on one stream", this.types.size, limits.typesPerStream);
    checkLimit(`names of ${typeUrl}`, state.subscription.size, limits.namesPerType);
  }

  /** @param newest what the node should hold now, if that is known already */
  private push(newest?: State): void {
    for (;;) {
      if (this.stage === undefined) {
        if (this.inFlight.blocksPush || !this.behind || !this.adopt(newest)) break;
      } else if (this.stage > 0 && this.inFlight.blocksStage) break;
      this.runStage(this.stage ?? 0);
    }
    if (this.state === undefined) return;
    this.answerRequests();
    this.runAhead();
    this.watch();
  }

  /** Begins to bring the client to the newest state. @returns whether there is one. */
  private adopt(newest = this.context.newest()): boolean {
    if (newest === undefined) return false;
    this.behind = false;
    this.isUpdate = this.state !== undefined && this.state.epoch !== newest.epoch;
    this.state = newest;
    this.stage = 0;
    for (const type of this.ordered) type.endAhead();
    return true;
  }

  private runStage(stage: number): void {
    const types = this.ordered;
    let now = Number.POSITIVE_INFINITY;
    for (const type of types) if (type.stage >= stage) now = Math.min(now, type.stage);
    if (now === Number.POSITIVE_INFINITY) {
      this.stage = undefined;
      this.tellRemovals(types);
      this.tellBrought();
      return;
    }
    this.stage = now + 1;
    for (const type of types) if (type.stage === now) this.tell(type);
  }

  private tellBrought(): void {
    const { label, onEvent } = this.context;
    if (!this.isUpdate || this.state === undefined) return;
    this.isUpdate = false;
    onEvent({ kind: "brought", node: label, version: this.state.epoch.number });
  }

  /**
   * Nothing is removed before the client has taken the first answers of all types: on a new stream types are asked for
   * one by one, and what a type still refers to must stay until the client has heard what replaces it.
   */
  private tellRemovals(types: readonly TypeState[]): void {
    if (types.every(({ heard }) => heard)) {
      for (const type of types.toReversed()) this.tell(type, type.ahead === undefined);
    } else {
      this.behind = true;
    }
  }

  /** What was asked for since the last push, but of types with a response in flight. */
  private answerRequests(): void {
    for (const type of this.ordered) {
      if (!type.asked || this.inFlight.has(type.rule.typeUrl) || this.mustWait(type)) continue;
      const state = type.ahead ?? this.state;
      if (type.subscription.isFresh) {
        this.tell(type);
        // What it holds from an earlier stream, and should not, is told later.
        this.behind = true;
      } else if (state !== undefined)
        this.respond(type, state, type.subscription.answer(this.sourceOf(type, state)));
    }
  }

  /** What a client uses goes on to be used until what it is replaced by leads to nothing that is not ready. */
  private mustWait({ resumed, rule, stage, subscription }: TypeState): boolean {
    const refers = resumed && subscription.isFresh && rule.prompt !== true;
    return refers && stage > 0 && this.inFlight.blocksStage;
  }

  /** Types that need not wait for the push in flight. */
  private runAhead(): void {
    if (!this.behind) return;
    const newest = this.context.newest();
    if (newest?.epoch === this.state?.epoch) return;
    for (const type of this.ordered) {
      const { independent, typeUrl } = type.rule;
      if (independent !== true || !type.heard || this.inFlight.has(typeUrl)) continue;
      type.ahead = newest;
      this.tell(type);
    }
  }

  /** A client that reads, but does not answer in time, gets what follows as it would from a server that never waits. */
  private watch(): void {
    const { settleMs } = this.context.limits;
    if (this.patience !== undefined || !this.inFlight.blocksStage) return;
    const waits = (type: TypeState): boolean => type.asked && this.mustWait(type);
    if (this.stage === undefined && !this.behind && !this.ordered.some(waits)) return;
    this.patience = setTimeout(() => {
      this.patience = undefined;
      if (this.context.isSent()) this.giveUpOn(this.inFlight.giveUp(settleMs));
      this.push();
    }, settleMs);
  }

  private giveUpOn(typeUrls: readonly string[]): void {
    for (const typeUrl of typeUrls) {
      const state = this.types.get(typeUrl);
      if (state !== undefined) state.heard = true;
    }
  }

  /** Brings the client to all there is of a type. */
  private tell(type: TypeState, withRemovals = false): void {
    const state = type.ahead ?? this.state;
    if (state === undefined) return;
    if (!type.due && type.subscription.isUpTo(state.view.resources(type.rule.typeUrl))) {
      type.asked = false;
      return;
    }
    const removes = withRemovals || type.rule.takesPlaces === true;
    this.respond(type, state, type.subscription.advance(this.sourceOf(type, state), removes));
  }

  /** A type that ran ahead may be asked for what only the state of the others has. */
  private sourceOf({ rule: { typeUrl } }: TypeState, state: State): Source {
    const find = ({ view }: State, name: string) => view.lookup?.(typeUrl, name);
    const behind = this.state;
    return {
      resources: state.view.resources(typeUrl),
      lookup: (name) =>
        find(state, name) ??
        (behind === undefined || behind === state
          ? undefined
          : (behind.view.resources(typeUrl).get(name) ?? find(behind, name))),
    };
  }

  private respond(type: TypeState, state: State, changes: Changes): void {
    const must = type.due;
    const first = type.opening;
    type.asked = false;
    type.due = false;
    const content = this.context.codec.compose(changes, type, must);
    if (content === undefined) return;
    type.opening = false;
    this.exchange.send(type, state.epoch, changes, content);
    this.repeatFollower(type.rule, changes, first);
  }

  private repeatFollower({ followedBy }: TypeRule, { added }: Changes, first: boolean): void {
    const follower = followedBy === undefined ? undefined : this.types.get(followedBy);
    if (follower === undefined || added.length === 0) return;
    const names = added.map(({ name }) => name);
    this.context.codec.repeatAfter(follower, names, first);
    follower.asked = true;
  }
}
