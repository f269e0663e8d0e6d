import { closeSync } from "node:fs";
import { DescriptorHolder, type HeldDescriptor, type HolderKey, type HolderPlace } from "bpf-maps-native";

interface Kept extends HolderKey {
  readonly fd: number;
  readonly note: string;
}

/** Until the next attempt to reach a holder that was lost. */
const againMs = 1_000;

/** Under which nothing is ever held. */
const nothing: HolderKey = { kind: 0, number: 0 };

/** What is held, whatever becomes of the holder: a new one is given all of it again that is still open here. */
export class HolderLine {
  private readonly place: HolderPlace;
  private readonly onError: (error: Error) => void;
  private readonly kept = new Map<string, Kept>();
  /** What is the next client's. */
  private readonly left = new Set<string>();
  private holder: DescriptorHolder | undefined;
  private reopening: Promise<void> | undefined;
  private ended = false;

  private constructor(place: HolderPlace, onError: (error: Error) => void) {
    this.place = place;
    this.onError = onError;
  }

  /** @param onError of a holder that was lost, or could not be reached then */
  static async open(
    place: HolderPlace,
    onError: (error: Error) => void,
  ): Promise<{ line: HolderLine; held: HeldDescriptor[] }> {
    const line = new HolderLine(place, onError);
    const { holder, held } = await DescriptorHolder.open(place);
    line.holder = holder;
    return { line, held };
  }

  /** @param fd to stay open until it is dropped */
  hold(key: HolderKey, fd: number, note: string): void {
    this.kept.set(textOf(key), { ...key, fd, note });
    this.say((holder) => holder.hold(key, fd, note));
  }

  drop(key: HolderKey): void {
    this.kept.delete(textOf(key));
    this.say((holder) => holder.drop(key));
  }

  /** The holder alone has it from now on, for the next client; a new holder is not given it. */
  leave(key: HolderKey): void {
    this.kept.delete(textOf(key));
    this.left.add(textOf(key));
  }

  /** Looks whether the holder lives; if not, resolves once a new one has all again, or could not be reached. */
  async isThere(): Promise<boolean> {
    this.say((holder) => holder.drop(nothing));
    if (this.holder === undefined) await this.again();
    return this.holder !== undefined;
  }

  /** All that is held is closed, and the holder ends. */
  end(): void {
    this.ended = true;
    this.say((holder) => holder.end());
  }

  private say(what: (holder: DescriptorHolder) => void): void {
    const { holder } = this;
    if (holder === undefined) return;
    try {
      what(holder);
    } catch (error) {
      holder.close();
      this.holder = undefined;
      this.onError(error as Error);
      void this.again();
    }
  }

  /** Resolves after one attempt, which others follow if it fails. */
  private again(): Promise<void> {
    if (this.ended || this.holder !== undefined) return Promise.resolve();
    this.reopening ??= this.reopen()
      .catch(this.onError)
      .finally(() => {
        this.reopening = undefined;
        if (this.holder === undefined) setTimeout(() => void this.again(), againMs).unref();
      });
    return this.reopening;
  }

  private async reopen(): Promise<void> {
    const { holder, held } = await DescriptorHolder.open(this.place);
    for (const { fd, ...key } of held) {
      closeSync(fd);
      const text = textOf(key);
      if (!this.kept.has(text) && !this.left.has(text)) holder.drop(key);
    }
    this.holder = holder;
    for (const { fd, note, ...key } of this.kept.values()) this.say((now) => now.hold(key, fd, note));
    if (this.ended) this.end();
  }
}

const textOf = ({ kind, number }: HolderKey): string => `${kind} ${number}`;
