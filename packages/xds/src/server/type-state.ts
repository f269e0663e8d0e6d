import type { State } from "./epoch.ts";
import { Subscription } from "./subscription.ts";
import type { TypeRule } from "./type-rules.ts";

/** What one stream asked for of one type, what it was sent, and what it answered. */
export class TypeState {
  readonly rule: TypeRule;
  readonly subscription: Subscription;
  /** Version of the last response sent, "" before the first; and its nonce. */
  sentVersion = "";
  sentNonce = "";
  /** When it was sent, in ms since 1970. */
  sentAt: number | undefined;
  /** The same of the last response acked. */
  ackedVersion = "";
  ackedNonce = "";
  /** The client asked for something since the last look. */
  asked = true;
  /** There must be a response, even if it is empty: a first request gets one. */
  due = true;
  /** The response that is due answers a first request. */
  opening = true;
  /** The client holds something of an earlier stream, which it goes on to use. (Delta.) */
  resumed = false;
  /** The next request is answered in full, even if it asks for nothing new. (State of the world.) */
  answersNext = false;
  /** Something was asked for by name, be it "*". (State of the world.) */
  named = false;
  /** The client has answered a response, or was given up on. */
  heard = false;
  /** A newer state than the stream's that the type alone was brought to. */
  ahead: State | undefined;

  /** @param canonical the one copy of a name that is kept, see Subscription */
  constructor(rule: TypeRule, canonical?: (name: string) => string) {
    this.rule = rule;
    this.subscription = new Subscription(rule.wildcard !== false, canonical);
  }

  /** It is of the stream's state again; what only that before had is looked for no more. */
  endAhead(): void {
    if (this.ahead !== undefined) this.subscription.findAgain();
    this.ahead = undefined;
  }

  get stage(): number {
    return this.rule.stage ?? 0;
  }
}
