import { Bench, places } from "../kernel-behaviour/bench.ts";
import { receivedBy, resultOf } from "../kernel-behaviour/sockets.ts";

/** What a caller that blocks in recv gets, by what happens meanwhile. */
export interface BlockedReads {
  /** After a signal whose action restarts: "sleeps on", or what it gets. */
  readonly signal: string | number;
  /** Of two calls. */
  readonly reset: readonly (string | number)[];
  readonly end: readonly (string | number)[];
  readonly bytes: readonly string[];
}

/** @param isLookedAt its socket is in a sockhash whose program passes all that it sends */
export async function blockedReads(isLookedAt: boolean): Promise<BlockedReads> {
  await using bench = await Bench.open("bounded");
  const listener = await bench.listen(isLookedAt ? { active: places.speaks } : {});
  const receive = (fd: number) => ["recvfrom", fd, ">10", 10, 0, 0, 0] as const;
  const blocked = async (calls: number) => {
    const { active, passive } = await bench.connect(listener);
    const reads = bench.calls.begin(...Array.from({ length: calls }, () => receive(active.fd)));
    await reads.sleeps();
    return { passive, reads };
  };
  const interrupted = await blocked(1);
  await interrupted.reads.interrupt();
  const signal = (await interrupted.reads.sleeps())
    ? "sleeps on"
    : resultsOf(await interrupted.reads.outcomes)[0];
  const resetting = await blocked(2);
  await resetting.passive.reset();
  const ending = await blocked(1);
  await ending.passive.close();
  const sending = await blocked(1);
  await sending.passive.send("0123456789");
  return {
    signal: signal ?? "",
    reset: resultsOf(await resetting.reads.outcomes),
    end: resultsOf(await ending.reads.outcomes),
    bytes: (await sending.reads.outcomes).map(receivedBy),
  };
}

const resultsOf = (outcomes: readonly Parameters<typeof resultOf>[0][]): (string | number)[] =>
  outcomes.map(resultOf);
