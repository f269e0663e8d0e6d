import { readdirSync, readFileSync } from "node:fs";

/** Between two looks at what processes do, in milliseconds; of a shorter time, a quarter of it. */
const lookMs = 1_000;
/** Looks are so many times as many as without any time that was not theirs, at most: then time is up, whatever they do. */
const mostTimes = 10;
/** A process that looks this much too late was itself stopped, with its machine perhaps, and those that it waits for with it. */
const ownDelayMs = 1_000;

/** Of a thread. */
export interface ThreadTimes {
  /** As in proc(5): "R" runs or could, "D" waits for a disk. */
  readonly state: string;
  /** Nanoseconds in which it ran, and in which it could have, but others did. */
  readonly ran: bigint;
  readonly waited: bigint;
}

/** By thread. */
export type ProcessTimes = ReadonlyMap<string, ThreadTimes>;

const none: ProcessTimes = new Map();

/** @returns none of a process that has ended, and where the kernel does not count */
export function timesOf(pid: number): ProcessTimes {
  const folder = `/proc/${pid}/task`;
  const times = new Map<string, ThreadTimes>();
  try {
    for (const id of readdirSync(folder)) times.set(id, timesOfThread(`${folder}/${id}`));
  } catch {
    // It, or a thread of it, ends just now.
  }
  return times;
}

function timesOfThread(folder: string): ThreadTimes {
  const [ran = "0", waited = "0"] = readFileSync(`${folder}/schedstat`, "latin1").split(" ");
  const stat = readFileSync(`${folder}/stat`, "latin1");
  // Behind the name in parentheses, which may be any text.
  return { state: stat.charAt(stat.lastIndexOf(")") + 2), ran: BigInt(ran), waited: BigInt(waited) };
}

/** @returns of so many milliseconds between two looks, those in which a process could not go on, though it had something to do */
export function lostTime(before: ProcessTimes, after: ProcessTimes, ms: number): number {
  let lost = 0;
  for (const [id, { state, ran, waited }] of after) {
    const then = before.get(id);
    if (then === undefined) continue;
    // What a thread waits for a processor the kernel counts once that is over.
    if (state === "D" || (state === "R" && ran === then.ran)) return ms;
    lost = Math.max(lost, Number(waited - then.waited) / 1e6);
  }
  return Math.min(lost, ms);
}

/**
 * A time that is up when processes had it: what they waited for a processor or a disk does not count, so that those of a machine
 * with too much to do are not taken for ones that hang. One that sleeps, and one that works without end, has all of it.
 */
export class OwnTime {
  private readonly ms: number;
  private readonly processes: () => readonly number[];
  private readonly onUp: () => void;
  private readonly timesOf: (pid: number) => ProcessTimes;
  private readonly everyMs: number;
  private left: number;
  private looksLeft: number;
  private before: ReadonlyMap<number, ProcessTimes> = new Map();
  private timer: NodeJS.Timeout | undefined;

  /**
   * @param ms they begin anew if this process was itself stopped meanwhile
   * @param look what is known of a process
   */
  constructor(ms: number, processes: () => readonly number[], onUp: () => void, look = timesOf) {
    this.ms = ms;
    this.processes = processes;
    this.onUp = onUp;
    this.timesOf = look;
    this.everyMs = Math.min(lookMs, ms / 4);
    this.left = ms;
    this.looksLeft = Math.ceil(ms / this.everyMs) * mostTimes;
    this.wait();
  }

  stop(): void {
    clearTimeout(this.timer);
  }

  private wait(): void {
    const begin = performance.now();
    const waitMs = Math.min(this.everyMs, this.left);
    this.timer = setTimeout(() => this.look(performance.now() - begin, waitMs), waitMs);
  }

  private look(passedMs: number, waitMs: number): void {
    const lostMs = this.lost(waitMs);
    this.looksLeft -= 1;
    if (passedMs > waitMs + ownDelayMs) this.left = this.ms;
    else this.left -= waitMs - lostMs;
    if (this.left > 0 && this.looksLeft > 0) this.wait();
    else this.onUp();
  }

  /** Most answers come before the first look, which has nothing to compare with. */
  private lost(ms: number): number {
    const { before } = this;
    const after = new Map(this.processes().map((pid) => [pid, this.timesOf(pid)]));
    this.before = after;
    return Math.max(0, ...[...after].map(([pid, times]) => lostTime(before.get(pid) ?? none, times, ms)));
  }
}
