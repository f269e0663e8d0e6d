// As much of protobuf's wire format as it takes to find fields: nothing is decoded.

/** Calls back for each length-delimited field of a message; others are stepped over. */
export function eachField(message: Buffer, found: (field: number, value: Buffer) => void): void {
  let at = 0;
  const varint = (): number => {
    let value = 0;
    let factor = 1;
    for (;;) {
      const byte = message.readUInt8(at);
      at += 1;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
      factor *= 128;
    }
  };
  while (at < message.length) {
    const tag = varint();
    const wireType = tag & 7;
    if (wireType === 0) varint();
    else if (wireType === 1) at += 8;
    else if (wireType === 5) at += 4;
    else if (wireType === 2) {
      const length = varint();
      found(Math.floor(tag / 8), message.subarray(at, at + length));
      at += length;
    } else throw new Error(`wire type ${wireType} in a message of ${message.length} bytes`);
  }
}

/** The value of a length-delimited field that stands once; stops there. */
export function firstField(message: Buffer, field: number): Buffer | undefined {
  let value: Buffer | undefined;
  eachField(message, (number, bytes) => {
    if (number === field) value ??= bytes;
  });
  return value;
}

/** One length-delimited field. */
export function fieldOf(field: number, value: string | Buffer): Buffer {
  const bytes = typeof value === "string" ? Buffer.from(value) : value;
  return Buffer.concat([varintOf(field * 8 + 2), varintOf(bytes.length), bytes]);
}

function varintOf(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest & 127) | 128);
  return Buffer.from([...bytes, rest]);
}
