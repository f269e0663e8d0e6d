import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { mountOf } from "@keelson/bpf-applier/mount-table";
import { resourcePrefix } from "@keelson/model/names";
import { mountBpffs } from "bpf-maps-native";
import { removeCgroup } from "../world/cgroups.ts";
import { ensureCgroup2 } from "../world/mounts.ts";
import { Calls } from "./calls.ts";
import { int, level, option, Socket } from "./sockets.ts";

/** A listening socket, and where it listens. */
export interface Listener {
  readonly socket: Socket;
  readonly address: string;
  readonly port: number;
}

export interface ListenOptions {
  /** 127.0.0.1 by default. */
  readonly address?: string;
  readonly protocol?: number;
  /** Of accepted sockets, in bytes as setsockopt takes them. */
  readonly receiveBuffer?: number;
  /** Who listens; the ground's own process by default. */
  readonly by?: Calls;
}

/** Both ends of a connection. */
export interface Connection {
  readonly active: Socket;
  readonly passive: Socket;
}

const prefix = `${resourcePrefix}behaviour-`;
let made = 0;

/** A process that makes system calls, in a cgroup and a network namespace of its own. */
export class Ground implements AsyncDisposable {
  readonly calls: Calls;
  readonly cgroup: string;
  /** A folder's path on a bpffs; whoever pins makes it, and it is removed with the ground. */
  readonly pinFolder: string;
  /** What is given up with the ground, the last first. */
  protected readonly stack: AsyncDisposableStack;

  protected constructor(from: Pick<Ground, "calls" | "cgroup" | "pinFolder">, stack: AsyncDisposableStack) {
    this.calls = from.calls;
    this.cgroup = from.cgroup;
    this.pinFolder = from.pinFolder;
    this.stack = stack;
  }

  static async make(): Promise<Ground> {
    await using stack = new AsyncDisposableStack();
    const [cgroups, pins] = [await ensureCgroup2(), await ensureBpffs()];
    await removeDead(cgroups, pins);
    const name = `${prefix}${process.pid}-${++made}`;
    const [cgroup, pinFolder] = [join(cgroups, name), join(pins, name)];
    mkdirSync(cgroup);
    stack.defer(() => removeCgroup(cgroup));
    stack.defer(() => rmSync(pinFolder, { recursive: true, force: true }));
    const calls = stack.use(await Calls.start(cgroup));
    return new Ground({ calls, cgroup, pinFolder }, stack.move());
  }

  /** Another process of the same namespace and cgroup. */
  async another(): Promise<Calls> {
    return this.stack.use(await Calls.start(this.cgroup, this.calls));
  }

  async listen(options: ListenOptions = {}): Promise<Listener> {
    const { address = "127.0.0.1", by = this.calls } = options;
    const socket = await Socket.open(by, address, options.protocol);
    if (options.receiveBuffer !== undefined)
      await socket.setOption(level.socket, option.receiveBuffer, int(options.receiveBuffer));
    await socket.bind(address, 0);
    await by.must("listen", socket.fd, 1024);
    return { socket, address, port: await socket.port() };
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
    await this.stack.disposeAsync();
  }
}

async function ensureBpffs(): Promise<string> {
  const usual = "/sys/fs/bpf";
  const found = await mountOf("bpf");
  if (found === undefined) mountBpffs(usual);
  return found ?? usual;
}

/** Removes what processes that are gone left behind. */
async function removeDead(cgroups: string, pins: string): Promise<void> {
  const dead = (name: string): boolean =>
    name.startsWith(prefix) && !isAlive(Number.parseInt(name.slice(prefix.length), 10));
  for (const name of readdirSync(cgroups).filter(dead)) await removeCgroup(join(cgroups, name));
  for (const name of readdirSync(pins).filter(dead))
    rmSync(join(pins, name), { recursive: true, force: true });
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
