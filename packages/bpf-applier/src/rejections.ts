import type { DeltaUpdate } from "@keelson/xds";

/** Reasons that are told in full. */
const shownReasons = 5;

/** Bounded, because it becomes the text of a nack. */
export function reasonsText(reasons: Iterable<string>): string {
  const all = [...reasons];
  const shown = all.slice(0, shownReasons).join("; ");
  return all.length > shownReasons ? `${shown}; and ${all.length - shownReasons} more` : shown;
}

/** What of one type this node did not take, and has heard nothing newer of. */
export class Rejections {
  /** Resource → why it was not taken. */
  private readonly reasons = new Map<string, string>();
  /** Why nothing at all was taken of the last update. */
  private whole: string | undefined;

  /** @param rejected resource → why it was not taken, while the rest of the update was */
  took({ added, removed }: DeltaUpdate, rejected: ReadonlyMap<string, string>): void {
    this.whole = undefined;
    for (const name of [...added.map((resource) => resource.name), ...removed]) this.reasons.delete(name);
    for (const [name, reason] of rejected) this.reasons.set(name, reason);
  }

  /** Nothing was taken of an update. */
  failed(reason: string): void {
    this.whole = reason;
  }

  /** Undefined: nothing is rejected. */
  get text(): string | undefined {
    return this.whole ?? (this.reasons.size === 0 ? undefined : reasonsText(this.reasons.values()));
  }
}
