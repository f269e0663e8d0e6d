import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { BpfError } from "./bpf-error.ts";
import { type NativeHandle, native } from "./native.ts";

/** What a descriptor is held under; what the numbers mean is the client's. Each from 0 to 2^32-1. */
export interface HolderKey {
  readonly kind: number;
  readonly number: number;
}

/** As it was held. */
export interface HeldDescriptor extends HolderKey {
  readonly note: string;
  /** A copy, which whoever has listed it closes. */
  readonly fd: number;
}

export interface HolderPlace {
  /** Of the holder's socket, at most 107 bytes. Its folder should be root's alone; the socket itself is mode 0600. */
  readonly path: string;
  /** Seconds that a holder waits for the next client before it closes all and ends. */
  readonly patience: number;
}

/** holder/protocol.h. */
const say = { hold: 1, drop: 2, list: 3, end: 5 };
const program = fileURLToPath(new URL("../build/descriptor-holder", import.meta.url));
/** One that ends while it is spoken to is followed by one that begins. */
const attempts = 3;

/**
 * A process that keeps descriptors for this one and for the one that comes after it, however this one ends. It is no child of
 * anybody, has one client at a time, and takes only processes of its own user. What is held stays open until it is dropped,
 * also where this process has closed it.
 */
export class DescriptorHolder {
  private readonly socket: NativeHandle;

  private constructor(socket: NativeHandle) {
    this.socket = socket;
  }

  /**
   * Begins with what the holder at the place holds; one is started where there is none. Waits 5 s for a client that is still
   * there to end.
   */
  static async open(place: HolderPlace): Promise<{ holder: DescriptorHolder; held: HeldDescriptor[] }> {
    for (let attempt = 1; ; attempt++) {
      let socket: NativeHandle | undefined;
      try {
        socket = await connect(place);
        native.holderSend(socket, say.list, 0, 0);
        return { held: await native.holderReceive(socket), holder: new DescriptorHolder(socket) };
      } catch (error) {
        if (socket !== undefined) native.close(socket);
        if (attempt === attempts || (error as BpfError).code === "ETIMEDOUT") throw error;
      }
    }
  }

  /** In place of what is held under this key. @param note at most 512 bytes @throws BpfError if the holder is gone */
  hold({ kind, number }: HolderKey, fd: number, note: string): void {
    native.holderSend(this.socket, say.hold, kind, number, note, fd);
  }

  /** What is not there is no error. @throws BpfError if the holder is gone */
  drop({ kind, number }: HolderKey): void {
    native.holderSend(this.socket, say.drop, kind, number);
  }

  /** The holder closes all that it has, and ends; so does this object. @throws BpfError if it is gone */
  end(): void {
    native.holderSend(this.socket, say.end, 0, 0);
    this.close();
  }

  /** Leaves all with the holder. */
  close(): void {
    native.close(this.socket);
  }
}

/** A holder that runs closes all that it has, and ends, once it has no client any more. @returns whether one runs */
export function endHolder(path: string): boolean {
  const socket = connectTo(path);
  if (socket === undefined) return false;
  native.holderSend(socket, say.end, 0, 0);
  native.close(socket);
  return true;
}

async function connect(place: HolderPlace): Promise<NativeHandle> {
  const socket = connectTo(place.path);
  if (socket !== undefined) return socket;
  await start(place);
  return native.holderConnect(place.path);
}

function connectTo(path: string): NativeHandle | undefined {
  try {
    return native.holderConnect(path);
  } catch (error) {
    if (error instanceof BpfError && (error.code === "ENOENT" || error.code === "ECONNREFUSED"))
      return undefined;
    throw error;
  }
}

/** Resolves when it listens. */
async function start({ path, patience }: HolderPlace): Promise<void> {
  const child = spawn(program, [path, String(patience)], {
    detached: true,
    stdio: ["ignore", "pipe", "ignore"],
  });
  child.unref();
  const spawned = once(child, "spawn"); // rejects where it cannot be started
  let said = "";
  child.stdout.on("data", (text: Buffer) => (said += text.toString()));
  await Promise.all([spawned, once(child.stdout, "end")]);
  if (said !== "") throw new Error(`descriptor holder: ${said.trimEnd()}`);
}

/** Bytes of a TCP connection, in the order of the stream. */
export interface TcpCounts {
  /** That whoever has the connection has read. */
  readonly read: number;
  /** That have arrived and were not read. */
  readonly unread: number;
  /** That it has written, whether or not they have arrived. */
  readonly written: number;
}

/**
 * As the kernel counts them, whoever read and wrote. For connections that were accepted.
 *
 * @returns undefined if this end has closed or said that it writes no more, or the other has reset it
 */
export function tcpCounts(fd: number): TcpCounts | undefined {
  return native.tcpCounts(fd);
}
