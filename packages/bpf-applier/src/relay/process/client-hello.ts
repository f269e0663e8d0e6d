const handshakeRecord = 0x16;
const clientHello = 0x01;
const serverNameExtension = 0;
const hostNameType = 0;
/** A record's largest content (RFC 8446 5.1), with its header. */
export const longestClientHello = 16_384 + 5;

/** More bytes are needed. */
export const incomplete = Symbol("incomplete");

/** Walks over bytes; beyond their end there is nothing. */
class Cursor {
  private at = 0;
  private readonly bytes: Buffer;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  get left(): number {
    return this.bytes.length - this.at;
  }

  number(size: number): number {
    const value = this.left < size ? 0 : this.bytes.readUIntBE(this.at, size);
    this.at += size;
    return value;
  }

  /** What follows a length of so many bytes. */
  vector(lengthSize: number): Buffer {
    return this.take(this.number(lengthSize));
  }

  take(length: number): Buffer {
    const taken = this.bytes.subarray(Math.min(this.at, this.bytes.length), this.at + length);
    this.at += length;
    return taken;
  }
}

/**
 * The server name that a TLS handshake asks for (RFC 6066 3), in lower case.
 * @returns undefined: none is named, or it is no ClientHello of one record
 */
export function serverNameOf(bytes: Buffer): string | undefined | typeof incomplete {
  if (bytes.length < 5) return incomplete;
  const record = new Cursor(bytes);
  if (record.number(1) !== handshakeRecord) return undefined;
  record.take(2);
  const length = record.number(2);
  if (record.left < length) return incomplete;
  const handshake = new Cursor(record.take(length));
  if (handshake.number(1) !== clientHello) return undefined;
  const hello = new Cursor(handshake.vector(3));
  hello.take(2 + 32); // version and random
  hello.vector(1); // session
  hello.vector(2); // cipher suites
  hello.vector(1); // compression
  const extensions = new Cursor(hello.vector(2));
  while (extensions.left > 4) {
    const type = extensions.number(2);
    const content = extensions.vector(2);
    if (type === serverNameExtension) return firstHostName(content);
  }
  return undefined;
}

function firstHostName(content: Buffer): string | undefined {
  const names = new Cursor(new Cursor(content).vector(2));
  while (names.left > 3) {
    const type = names.number(1);
    const name = names.vector(2);
    if (type === hostNameType && name.length > 0) return name.toString("latin1").toLowerCase();
  }
  return undefined;
}
