import { bytes, type Calls, changing, type Outcome, room, vector, zeros } from "./calls.ts";

/** Numbers of socket(7), tcp(7), ip(7) on Linux. */
export const level = { socket: 1, tcp: 6, ipv6: 41 } as const;
export const option = {
  reuseAddress: 2,
  sendBuffer: 7,
  receiveBuffer: 8,
  linger: 13,
  receiveLowWater: 18,
  receiveTimeout: 20,
  sendTimeout: 21,
  cookie: 57,
  zeroCopy: 60,
  tcpDeferAccept: 9,
  tcpInfo: 11,
  tcpNoDelay: 1,
  tcpFastOpen: 23,
} as const;
export const flag = {
  peek: 0x2,
  truncate: 0x20,
  dontWait: 0x40,
  waitAll: 0x100,
  noSignal: 0x4000,
  zeroCopy: 0x4000000,
  fastOpen: 0x20000000,
} as const;
export const poll = { in: 0x1, out: 0x4, error: 0x8, hangUp: 0x10, readHangUp: 0x2000 } as const;
export const ioctl = { readable: 0x541b, unsent: 0x5411 } as const;
const family = { inet: 2, inet6: 10 } as const;
const stream = 1;

/** struct sockaddr_in or sockaddr_in6 of an address on loopback: "127.0.0.1", "::1", "::ffff:127.0.0.1". */
export function socketAddress(address: string, port: number): Buffer {
  const ports = Buffer.from([port >> 8, port & 0xff]);
  if (!address.includes(":")) {
    const numbers = address.split(".").map(Number);
    return Buffer.concat([Uint8Array.of(family.inet, 0), ports, Uint8Array.from(numbers), Buffer.alloc(8)]);
  }
  const six = Buffer.alloc(16);
  if (address.startsWith("::ffff:")) {
    six.fill(0xff, 10, 12);
    six.set(address.slice(7).split(".").map(Number), 12);
  } else if (address === "::1") six[15] = 1;
  else throw new Error(`address ${address}: this parser knows "::1" and "::ffff:a.b.c.d" only`);
  return Buffer.concat([Uint8Array.of(family.inet6, 0), ports, Buffer.alloc(4), six, Buffer.alloc(4)]);
}

/** A 32-bit number as the machine stores it. */
export const int = (...values: number[]): Buffer => Buffer.from(Int32Array.from(values).buffer);

/** A descriptor of the process that makes the calls. */
export class Socket {
  readonly calls: Calls;
  readonly fd: number;

  constructor(calls: Calls, fd: number) {
    this.calls = calls;
    this.fd = fd;
  }

  static async open(calls: Calls, address = "127.0.0.1", protocol = 0): Promise<Socket> {
    const domain = address.includes(":") ? family.inet6 : family.inet;
    return new Socket(calls, (await calls.must("socket", domain, stream, protocol)).result);
  }

  async bind(address: string, port: number): Promise<void> {
    const name = socketAddress(address, port);
    await this.calls.must("bind", this.fd, bytes(name), name.length);
  }

  connect(address: string, port: number): Promise<Outcome> {
    const name = socketAddress(address, port);
    return this.calls.call("connect", this.fd, bytes(name), name.length);
  }

  /** Blocks until there is one. */
  async accept(): Promise<Socket> {
    return new Socket(this.calls, (await this.calls.must("accept4", this.fd, 0, 0, 0)).result);
  }

  async port(): Promise<number> {
    const { filled } = await this.calls.must("getsockname", this.fd, room(28), changing(int(28)));
    return filled[0]?.readUInt16BE(2) ?? 0;
  }

  async cookie(): Promise<bigint> {
    const { filled } = await this.getOption(level.socket, option.cookie, 8);
    return filled[0]?.readBigUInt64LE(0) ?? 0n;
  }

  async setOption(at: number, name: number, value: Buffer): Promise<Outcome> {
    return await this.calls.must("setsockopt", this.fd, at, name, bytes(value), value.length);
  }

  async getOption(at: number, name: number, size: number): Promise<Outcome> {
    return await this.calls.must("getsockopt", this.fd, at, name, room(size), changing(int(size)));
  }

  /** The call's result, or its error: 10, "EAGAIN". */
  async send(data: Uint8Array | string, flags: number = flag.noSignal): Promise<number | string> {
    return resultOf(
      await this.calls.call("sendto", this.fd, bytes(data), Buffer.byteLength(data), flags, 0, 0),
    );
  }

  async writeParts(...parts: Uint8Array[]): Promise<number | string> {
    return resultOf(await this.calls.call("writev", this.fd, vector(parts), parts.length));
  }

  /** What was received, or the error; an empty text at the end. */
  async receive(size = 65536, flags = 0): Promise<string> {
    return receivedBy(await this.calls.call("recvfrom", this.fd, room(size), size, flags, 0, 0));
  }

  /** What was received at once; undefined if there is nothing, an empty one at the end. @throws Error for any other error. */
  async receiveNow(size = 65536): Promise<Buffer | undefined> {
    const outcome = await this.calls.call("recvfrom", this.fd, room(size), size, flag.dontWait, 0, 0);
    if (outcome.error === "EAGAIN") return undefined;
    if (outcome.result < 0) throw new Error(`recvfrom: ${outcome.error}`);
    return outcome.filled[0]?.subarray(0, outcome.result);
  }

  /** Reads all that is there now, looks at none of it, and tells how much it was. */
  async discard(): Promise<number> {
    const size = 65_536;
    for (let total = 0; ; ) {
      const { result } = await this.calls.call(
        "x1000",
        "recvfrom",
        this.fd,
        zeros(size),
        size,
        flag.dontWait,
        0,
        0,
      );
      if (result === 0) return total;
      total += result;
    }
  }

  /** The events among `wanted` that poll reports within a time, as poll(2) has them. */
  async poll(wanted: number, milliseconds: number): Promise<number> {
    const time = Buffer.from(
      BigInt64Array.of(
        BigInt(Math.floor(milliseconds / 1000)),
        BigInt(Math.round(milliseconds % 1000)) * 1_000_000n,
      ).buffer,
    );
    const { filled } = await this.calls.must(
      "ppoll",
      changing(int(this.fd, wanted)),
      1,
      bytes(time),
      0,
      0,
      0,
    );
    return filled[0]?.readUInt16LE(6) ?? 0;
  }

  /** The int that an ioctl gives. */
  async ioctl(request: number): Promise<number> {
    const { filled } = await this.calls.must("ioctl", this.fd, request, room(4));
    return filled[0]?.readInt32LE(0) ?? 0;
  }

  async shutdown(how: "read" | "write" | "both" = "write"): Promise<void> {
    await this.calls.call("shutdown", this.fd, { read: 0, write: 1, both: 2 }[how]);
  }

  async close(): Promise<void> {
    await this.calls.must("close", this.fd);
  }

  /** Closes it by a reset. */
  async reset(): Promise<void> {
    await this.setOption(level.socket, option.linger, int(1, 0));
    await this.close();
  }

  /** Sends zeros until so many are sent or it refuses; blocks if the socket does. The bytes taken, and why it ended. */
  async fill(
    total: number,
    piece: number,
    flags: number = flag.noSignal,
  ): Promise<{ sent: number; error: string }> {
    const often = `x${Math.ceil(total / piece)}`;
    const { result, error } = await this.calls.call(
      often,
      "sendto",
      this.fd,
      zeros(piece),
      piece,
      flags,
      0,
      0,
    );
    return { sent: result, error };
  }
}

export const resultOf = ({ result, error }: Outcome): number | string => (result < 0 ? error : result);

/** The bytes of a receiving call as text, or the error's name. */
export function receivedBy({ result, error, filled }: Outcome): string {
  return result < 0 ? error : (filled[0]?.toString("latin1", 0, result) ?? "");
}
