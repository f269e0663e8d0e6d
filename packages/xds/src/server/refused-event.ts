import type { XdsEvent } from "./events.ts";
import type { Refusal } from "./refusal.ts";

/** What is said of a stream that the server ends. */
export function refusedEvent(node: string, peer: string, { message, isFull }: Refusal): XdsEvent {
  return { kind: "refused", node, peer, reason: message, ...(isFull ? { full: true } : {}) };
}
