import { Bench, type Connection, places } from "../bench.ts";
import { int, level, option } from "../sockets.ts";

/** A caller of the relay and the two upstreams, as programs/frames.bpf.c knows it. */
export type Caller = {
  upstreams: bigint[];
  self: bigint;
  careful: number;
  needs_room: number;
  owing: number;
  end: number;
  redirected: number;
  relayed: number;
  runs: number;
  stray: number;
};

/** RELAY of programs/frames.bpf.c. */
export const relay = 0;

/** A request of `length` bytes, its head included, whose body is one letter again and again. */
export function request(target: number, length: number, letter: string): Buffer {
  return Buffer.concat([int(length, target), Buffer.alloc(length - 8, letter)]);
}

export interface FrameWorld {
  readonly caller: Connection;
  readonly upstreams: readonly [Connection, Connection];
  /** How the program counts now. */
  state(): Caller;
}

export interface FrameOptions {
  readonly careful: boolean;
  readonly needsRoom?: boolean;
  /** In bytes, of each buffer between an upstream's two ends; the kernel's own by default. */
  readonly buffers?: number;
}

/** A caller connected to the relay, and two upstream connections, with the program told of all three. */
export async function openFrames(bench: Bench, options: FrameOptions): Promise<FrameWorld> {
  const { buffers } = options;
  const home = await bench.listen({ active: places.speaks });
  const caller = await bench.connect(home);
  const upstream = async (): Promise<Connection> => {
    const listener = await bench.listen({
      active: places.only,
      ...(buffers === undefined ? {} : { receiveBuffer: buffers }),
    });
    return bench.connect(listener, {
      prepare: async (socket) =>
        buffers !== undefined && (await socket.setOption(level.socket, option.sendBuffer, int(buffers))),
    });
  };
  const upstreams = [await upstream(), await upstream()] as const;
  const ends = { local: await caller.active.port(), remote: home.port };
  const self = await caller.active.cookie();
  return { caller, upstreams, state: await registerCaller(bench, ends, upstreams, { ...options, self }) };
}

/**
 * Tells the program of a caller, by the two ports that it sees.
 * @param self the caller's cookie, without which nothing can be handed over in mid-send
 * @returns how the program counts
 */
export async function registerCaller(
  bench: Bench,
  ends: { local: number; remote: number },
  upstreams: FrameWorld["upstreams"],
  { careful, needsRoom = false, self = 0n }: FrameOptions & { self?: bigint },
): Promise<() => Caller> {
  const callers = bench.map<{ local: number; remote: number }, Caller>("callers");
  callers.set(ends, {
    upstreams: await Promise.all(upstreams.map(({ active }) => active.cookie())),
    self,
    careful: Number(careful),
    needs_room: Number(needsRoom),
    owing: 0,
    end: 0,
    redirected: 0,
    relayed: 0,
    runs: 0,
    stray: 0,
  });
  return () => {
    const found = callers.get(ends);
    if (found === undefined) throw new Error("the caller's entry is gone");
    return found;
  };
}

/** The ends at which requests arrive: both servers', then the relay's. */
export const receivers = ({ upstreams, caller }: FrameWorld) => [
  upstreams[0].passive,
  upstreams[1].passive,
  caller.passive,
];
