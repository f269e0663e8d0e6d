// Frames of HTTP/2 (RFC 9113) and header blocks (RFC 7541), made by hand: what no well-behaved library would send.

export const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

export const frameType = {
  data: 0,
  headers: 1,
  reset: 3,
  settings: 4,
  ping: 6,
  goAway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;
export const endStream = 1;
export const endHeaders = 4;

export function frame(type: number, flags: number, stream: number, payload: Uint8Array = empty): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

const empty = new Uint8Array();

/** What a connection begins with: the preface and an empty SETTINGS. */
export const opening = Buffer.concat([preface, frame(frameType.settings, 0, 0)]);

export const reset = (stream: number): Buffer => frame(frameType.reset, 0, stream, Buffer.from([0, 0, 0, 8]));
export const ping = (): Buffer => frame(frameType.ping, 0, 0, Buffer.alloc(8));
export const settings = (): Buffer => frame(frameType.settings, 0, 0);

/** A header block of literals that are not indexed (RFC 7541, section 6.2.2), without Huffman coding. */
export function headerBlock(headers: Readonly<Record<string, string>>): Buffer {
  const parts = Object.entries(headers).map(([name, value]) =>
    Buffer.concat([Buffer.from([0]), literal(name), literal(value)]),
  );
  return Buffer.concat(parts);
}

/** A literal that enters the dynamic table (section 6.2.1). */
export const indexedHeader = (name: string, value: string): Buffer =>
  Buffer.concat([Buffer.from([0x40]), literal(name), literal(value)]);

/** The newest entry of the dynamic table, by its index (section 6.1). */
export const newestEntry = Buffer.from([0x80 | 62]);

function literal(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([integer(bytes.length, 7), bytes]);
}

/** Section 5.1. */
function integer(value: number, prefixBits: number): Buffer {
  const most = 2 ** prefixBits - 1;
  if (value < most) return Buffer.from([value]);
  const bytes = [most];
  let rest = value - most;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  bytes.push(rest);
  return Buffer.from(bytes);
}

/** A gRPC message, in its frame: not compressed, and the length that is told, which need not be true. */
export function grpcMessage(bytes: Uint8Array, told = bytes.length): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(told, 1);
  return Buffer.concat([head, bytes]);
}

/** Headers of a gRPC request. */
export const grpcHeaders = (path: string): Readonly<Record<string, string>> => ({
  ":method": "POST",
  ":scheme": "http",
  ":path": path,
  ":authority": "localhost",
  "content-type": "application/grpc",
  te: "trailers",
});
