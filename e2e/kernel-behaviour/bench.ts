import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { resourcePrefix } from "@keelson/model/names";
import { BpfObject, type CValue, type TypedMap, typedMap } from "bpf-maps-native";
import { removeCgroup } from "../world/cgroups.ts";
import { ensureCgroup2 } from "../world/mounts.ts";
import { until } from "../world/until.ts";
import { Calls } from "./calls.ts";
import { int, level, option, Socket } from "./sockets.ts";

/** Which of our programs see a socket: sk_msg what it sends, sk_skb what reaches it. As in programs/sockets.h. */
export const places = { only: 0, speaks: 1, hears: 2 } as const;

/** A listening socket, and what becomes of the connections made to it. */
export interface Listener {
  readonly socket: Socket;
  readonly address: string;
  readonly port: number;
}

export interface ListenOptions {
  /** Where the caller's end goes; into no map by default. */
  readonly active?: number;
  readonly passive?: number;
  /** 127.0.0.1 by default. */
  readonly address?: string;
  readonly protocol?: number;
  /** Of accepted sockets, in bytes as setsockopt takes them. */
  readonly receiveBuffer?: number;
  /** Who listens; the bench's own process by default. */
  readonly by?: Calls;
}

/** Both ends of a connection. */
export interface Connection {
  readonly active: Socket;
  readonly passive: Socket;
}

const prefix = `${resourcePrefix}behaviour-`;
let made = 0;

/** A process that makes system calls, in a cgroup whose connections go into maps, with the programs of one object. */
export class Bench implements AsyncDisposable {
  readonly object: BpfObject;
  readonly calls: Calls;
  readonly cgroup: string;
  readonly #stack: AsyncDisposableStack;

  private constructor(object: BpfObject, calls: Calls, cgroup: string, stack: AsyncDisposableStack) {
    this.object = object;
    this.calls = calls;
    this.cgroup = cgroup;
    this.#stack = stack;
  }

  /** @param program the object build/<program>.bpf.o; its `speak` and `hear` are attached if it has them. */
  static async open(program: string): Promise<Bench> {
    await using stack = new AsyncDisposableStack();
    const root = await ensureCgroup2();
    await removeDead(root);
    const cgroup = join(root, `${prefix}${process.pid}-${++made}`);
    mkdirSync(cgroup);
    stack.defer(() => removeCgroup(cgroup));
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
    using place = object.program("place");
    stack.use(await place.attachCgroup(cgroup));
    const calls = stack.use(await Calls.start(cgroup));
    return new Bench(object, calls, cgroup, stack.move());
  }

  /** Another process of the same namespace and cgroup. */
  async another(): Promise<Calls> {
    return this.#stack.use(await Calls.start(this.cgroup, this.calls));
  }

  map<K extends CValue, V extends CValue>(name: string): TypedMap<K, V> {
    return typedMap<K, V>(this.#stack.use(this.object.map(name)), this.object);
  }

  async listen(options: ListenOptions = {}): Promise<Listener> {
    const { address = "127.0.0.1", by = this.calls } = options;
    const socket = await Socket.open(by, address, options.protocol);
    if (options.receiveBuffer !== undefined)
      await socket.setOption(level.socket, option.receiveBuffer, int(options.receiveBuffer));
    await socket.bind(address, 0);
    await by.must("listen", socket.fd, 1024);
    const port = await socket.port();
    const placement = this.map<{ port: number; passive: number }, number>("placement");
    if (options.active !== undefined) placement.set({ port, passive: 0 }, options.active);
    if (options.passive !== undefined) placement.set({ port, passive: 1 }, options.passive);
    return { socket, address, port };
  }

  /** A blocking connection. `prepare` sees the caller's socket before it connects. */
  async connect(
    listener: Listener,
    { by = this.calls, prepare }: { by?: Calls; prepare?: (socket: Socket) => Promise<unknown> } = {},
  ): Promise<Connection> {
    const active = await Socket.open(by, listener.address);
    await prepare?.(active);
    const { error } = await active.connect(listener.address, listener.port);
    if (error !== "") throw new Error(`connect to ${listener.address}:${listener.port}: ${error}`);
    return { active, passive: await listener.socket.accept() };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}

/** Removes what benches of processes that are gone left behind. */
async function removeDead(root: string): Promise<void> {
  for (const name of readdirSync(root)) {
    const owner = name.startsWith(prefix) ? Number.parseInt(name.slice(prefix.length), 10) : process.pid;
    if (!isAlive(owner)) await removeCgroup(join(root, name));
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
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
