/** So many things are known; the one that was heard of longest ago is forgotten first, as a stranger may name any number. */
const knownThings = 10_000;
/** What stays as it is is told again after this time, in milliseconds. */
const toldAgainMs = 60 * 60_000;

interface Told {
  readonly text: string;
  readonly at: number;
  /** How often it was the same since. */
  untold: number;
}

/**
 * What is said of things again and again, such as a rejection that comes back with each attempt: worth a line of a log when it is new or
 * says something else, and once an hour while it does not.
 */
export class Repeats {
  private readonly told = new Map<string, Told>();

  /**
   * @param thing what it is said of
   * @param now in milliseconds
   * @returns how often the same was said and not told since it was told last; undefined: nor is it to be told now
   */
  tell(thing: string, text: string, now: number = Date.now()): number | undefined {
    const before = this.told.get(thing);
    const isSame = before?.text === text;
    // Deleted and set again, it is the last of the map, whose first is forgotten first.
    this.told.delete(thing);
    if (isSame && now - before.at < toldAgainMs) {
      before.untold += 1;
      this.told.set(thing, before);
      return undefined;
    }
    this.told.set(thing, { text, at: now, untold: 0 });
    if (this.told.size > knownThings) this.forgetOldest();
    return isSame ? before.untold : 0;
  }

  /** It is over: whatever is said of it next is new. @returns whether anything was told of it */
  end(thing: string): boolean {
    return this.told.delete(thing);
  }

  private forgetOldest(): void {
    const oldest = this.told.keys().next();
    if (oldest.done !== true) this.told.delete(oldest.value);
  }
}
