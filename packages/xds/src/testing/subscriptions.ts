import type { Source } from "../server/changes.ts";
import { Subscription } from "../server/subscription.ts";
import type { Resources } from "../server/view.ts";
import { named, resource } from "./resources.ts";

/** The two resources that most tests of subscriptions are about. */
export const a = resource("a");
export const b = resource("b");
export const all = named([a, b]);

/** Nothing to tell. */
export const nothing = { added: [], missing: [], gone: [] };

/** A list of which nothing else is to be found by name. */
export const listed = (resources: Resources): Source => ({ resources, lookup: () => undefined });

/** What is to be told now, removals included. */
export const next = (made: Subscription, resources: Resources) => made.advance(listed(resources), true);

interface First {
  subscribe?: string[];
  unsubscribe?: string[];
  holds?: Record<string, string>;
}

export function subscription({ subscribe = [], unsubscribe = [], holds = {} }: First): Subscription {
  const made = new Subscription();
  made.open({ subscribe, unsubscribe, initialVersions: holds });
  return made;
}

/** A subscription whose first answer is out of the way. */
export function answered(first: First, resources = all): Subscription {
  const made = subscription(first);
  next(made, resources);
  return made;
}
