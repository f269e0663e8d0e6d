import { until } from "../world/until.ts";
import type { HonestUser } from "./honest.ts";
import type { Victim } from "./victim.ts";

/** What a peer does that it should not. */
export interface Attack {
  readonly title: string;
  /** What the log must say of it, if it is to say anything. */
  readonly said?: string;
  /** The kind by which streams of it must be cut, if they are to be. */
  readonly cut?: string;
  /** Resolves when all of it is under way, with what ends it. */
  begin(victim: Victim): Promise<() => void>;
}

/** What was seen of one attack. */
export interface Sight {
  /** MiB of resident memory before it, and the most while it lasted. */
  readonly before: number;
  readonly peak: number;
  /** Of others, while it lasted. */
  readonly notServed: readonly string[];
  /** Lines of the log. */
  readonly lines: readonly string[];
}

/** Connections and streams that honest users and this look itself may have at any time. */
const honest = { connections: 20, streams: 10 };

/** Begins an attack, waits until others were served beside it, ends it, and waits until all that it held is free. */
export async function withstand(victim: Victim, user: HonestUser, attack: Attack): Promise<Sight> {
  const before = victim.rss();
  const logged = (await victim.log()).length;
  victim.takePeak();
  await user.served();
  const cuts = await cutsOf(victim, attack);
  const end = await attack.begin(victim);
  if (attack.cut !== undefined)
    await until(async () => (await cutsOf(victim, attack)) > cuts, {
      what: `streams to be cut for ${attack.cut}`,
    });
  const notServed = await user.served();
  end();
  await until(
    async () =>
      (await victim.metric("keelson_connections")) <= honest.connections &&
      (await victim.metric("keelson_grpc_streams")) <= honest.streams,
    { what: `what "${attack.title}" held to be free`, everyMs: 50 },
  );
  return { before, peak: victim.takePeak(), notServed, lines: (await victim.log()).slice(logged) };
}

const cutsOf = (victim: Victim, { cut }: Attack): Promise<number> =>
  cut === undefined ? Promise.resolve(0) : victim.metric(`keelson_grpc_streams_cut_total{kind="${cut}"}`);

/**
 * MiB of resident memory that the program may have under any of the attacks, with a heap of 256 MiB: about 170 when it is
 * idle, 128 of requests that are not whole, and as much again for what connections take outside the heap.
 */
export const memoryBound = 600;

/** MiB that the most may grow by when an attack is repeated; what an allocator keeps differs from run to run. */
export const repetitionBound = 64;
