import { join } from "node:path";
import { BpfObject, type CValue, type TypedMap, typedMap } from "bpf-maps-native";
import { until } from "../world/until.ts";
import { Ground, type Listener, type ListenOptions } from "./ground.ts";
import type { Socket } from "./sockets.ts";

export type { Connection, Listener } from "./ground.ts";

/** Which of our programs see a socket: sk_msg what it sends, sk_skb what reaches it. As in programs/sockets.h. */
export const places = { only: 0, speaks: 1, hears: 2 } as const;

/** Where the two ends of connections to a listener go; into no map by default. */
export interface Placement extends ListenOptions {
  readonly active?: number;
  readonly passive?: number;
}

/** Tells a placement map of programs/sockets.h. */
export function place(
  placement: TypedMap<{ port: number; passive: number }, number>,
  { port }: Listener,
  { active, passive }: Placement,
): void {
  if (active !== undefined) placement.set({ port, passive: 0 }, active);
  if (passive !== undefined) placement.set({ port, passive: 1 }, passive);
}

/** A ground whose connections go into maps, with the programs of one object. */
export class Bench extends Ground {
  readonly object: BpfObject;

  private constructor(ground: Ground, object: BpfObject, stack: AsyncDisposableStack) {
    super(ground, stack);
    this.object = object;
  }

  /** @param program the object build/<program>.bpf.o; its `speak` and `hear` are attached if it has them. */
  static async open(program: string): Promise<Bench> {
    await using stack = new AsyncDisposableStack();
    const ground = stack.use(await Ground.make());
    const object = stack.use(await BpfObject.open(join(import.meta.dirname, "build", `${program}.bpf.o`)));
    const has = (name: string): boolean => object.programNames().includes(name);
    if (has("hear"))
      object.configureProgram("hear", { type: "sk_skb", expectedAttachType: "sk_skb_verdict" });
    await object.load();
    for (const [name, map] of [
      ["speak", "speakers"],
      ["hear", "hearers"],
    ] as const) {
      if (!has(name)) continue;
      using verdict = object.program(name);
      const target = stack.use(object.map(map));
      stack.use(await verdict.attachSockmap(target));
    }
    using placing = object.program("place");
    stack.use(await placing.attachCgroup(ground.cgroup));
    return new Bench(ground, object, stack.move());
  }

  map<K extends CValue, V extends CValue>(name: string): TypedMap<K, V> {
    return typedMap<K, V>(this.stack.use(this.object.map(name)), this.object);
  }

  override async listen(options: Placement = {}): Promise<Listener> {
    const listener = await super.listen(options);
    place(this.map("placement"), listener, options);
    return listener;
  }
}

/** How long bytes that were sent may take; MSG_MORE alone keeps them for 200 ms. */
const quietMs = 3_000;

/**
 * Reads from all sockets until `total` bytes have come, however they are spread.
 * @returns what came from each; less than `total` together when nothing more came for 3 s.
 */
export async function collect(sockets: readonly Socket[], total: number): Promise<Buffer[]> {
  const came = sockets.map(() => [] as Buffer[]);
  let sum = 0;
  const lookAround = async (): Promise<boolean> => {
    for (const [index, socket] of sockets.entries()) {
      for (let piece = await socket.receiveNow(); piece?.length; piece = await socket.receiveNow()) {
        came[index]?.push(piece);
        sum += piece.length;
      }
    }
    return sum >= total;
  };
  const end = performance.now() + quietMs;
  await until(async () => (await lookAround()) || performance.now() > end, { what: "all bytes" });
  return came.map((pieces) => Buffer.concat(pieces));
}
