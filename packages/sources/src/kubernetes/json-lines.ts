const newline = 0x0a;

/**
 * Splits a stream of bytes into its lines. A line without an end is left out: its writer was cut off in the middle of
 * it. Empty lines are left out, too.
 * @throws RangeError for a line of more than `maximumBytes`, before it is held in memory as a whole.
 */
export async function* splitLines(
  chunks: AsyncIterable<Uint8Array>,
  maximumBytes: number,
): AsyncGenerator<string> {
  let begun: Uint8Array[] = [];
  let begunBytes = 0;
  for await (const chunk of chunks) {
    let start = 0;
    while (start < chunk.length) {
      const end = chunk.indexOf(newline, start);
      const part = chunk.subarray(start, end === -1 ? chunk.length : end);
      if (begunBytes + part.length > maximumBytes)
        throw new RangeError(`a line has more than the ${maximumBytes} bytes that one may have`);
      if (end === -1) {
        begun.push(part);
        begunBytes += part.length;
        break;
      }
      if (begunBytes + part.length > 0) yield textOf(begun, part);
      begun = [];
      begunBytes = 0;
      start = end + 1;
    }
  }
}

function textOf(begun: readonly Uint8Array[], last: Uint8Array): string {
  if (begun.length > 0) return Buffer.concat([...begun, last]).toString("utf8");
  return Buffer.from(last.buffer, last.byteOffset, last.length).toString("utf8");
}
