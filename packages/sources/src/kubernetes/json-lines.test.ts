import fc from "fast-check";
import { expect, test } from "vitest";
import { splitLines } from "./json-lines.ts";

async function linesOf(chunks: readonly (string | Uint8Array)[], maximumBytes = 1_000): Promise<string[]> {
  async function* stream(): AsyncGenerator<Uint8Array> {
    for (const chunk of chunks) yield typeof chunk === "string" ? Buffer.from(chunk) : chunk;
  }
  const lines: string[] = [];
  for await (const line of splitLines(stream(), maximumBytes)) lines.push(line);
  return lines;
}

test("lines are whole wherever their bytes are cut, letters of several bytes included", async () => {
  const json = fc.array(fc.jsonValue().map((value) => JSON.stringify(value)));
  await fc.assert(
    fc.asyncProperty(json, fc.array(fc.nat()), async (lines, cuts) => {
      const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(""));
      const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
      const chunks = [0, ...places].map((start, i) => bytes.subarray(start, places[i] ?? bytes.length));
      expect(await linesOf(chunks, 1_000_000)).toEqual(lines);
    }),
  );
});

test("of any bytes the lines come out that stand between two newlines", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.uint8Array()), async (chunks) => {
      const whole = Buffer.concat(chunks).toString("latin1").split("\n").slice(0, -1);
      const wanted = whole
        .filter((line) => line !== "")
        .map((line) => Buffer.from(line, "latin1").toString("utf8"));
      expect(await linesOf(chunks)).toEqual(wanted);
    }),
  );
});

test("what is cut off before its end is no line", async () => {
  expect(await linesOf(['{"a":1}\n{"b":'])).toEqual(['{"a":1}']);
});

test("a line that is too long is refused before its end has come", async () => {
  expect(await linesOf(["12345\n", "123", "45\n"], 5)).toEqual(["12345", "12345"]);
  await expect(linesOf(["123", "456"], 5)).rejects.toThrow("more than the 5 bytes");
  await expect(linesOf(["1\n123456\n"], 5)).rejects.toThrow(RangeError);
});
