import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { AnswerFraming, ResponseHead } from "../message.ts";
import { MalformedAnswer } from "./answer-head.ts";
import { ResponseParser } from "./response-parser.ts";

interface Read {
  heads: { head: ResponseHead; framing: AnswerFraming | "1xx"; persistent?: boolean }[];
  body: string;
  trailers: readonly string[] | undefined;
  excess: number;
  error: string | undefined;
}

/** What is read of pieces; an end of the connection follows them. */
function read(pieces: readonly Buffer[], method = "GET"): Read {
  const seen: Read = { heads: [], body: "", trailers: undefined, excess: 0, error: undefined };
  const parser = new ResponseParser({
    onInformational: (head) => seen.heads.push({ head, framing: "1xx" }),
    onHead: (head, framing, persistent) => seen.heads.push({ head, framing, persistent }),
    onBody: (chunk) => {
      seen.body += chunk.toString("latin1");
    },
    onUpgrade: (head) => seen.heads.push({ head, framing: "1xx" }),
    onEnd: (trailers, excess) => {
      seen.trailers = trailers;
      seen.excess = excess;
    },
  });
  parser.expect(method);
  try {
    for (const piece of pieces) if (seen.trailers === undefined) parser.execute(piece);
    if (seen.trailers === undefined) parser.finish();
  } catch (error) {
    if (!(error instanceof MalformedAnswer)) throw error;
    seen.error = "malformed";
  }
  return seen;
}

const bytes = (text: string): Buffer => Buffer.from(text, "latin1");

const answers = [
  "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX:y\r\n\r\nhello",
  "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n00A\r\n0123456789\r\n0\r\nT: 1\r\n\r\n",
  "HTTP/1.0 200 OK\r\nX: \xe4\r\n\r\nto the end",
  "HTTP/1.1 204\r\n\r\n",
];

test.each(answers)("an answer reads the same wherever it is cut: %j", (answer) => {
  const whole = read([bytes(answer)]);
  expect(whole.error).toBeUndefined();
  expect(whole.trailers).toBeDefined();
  for (let cut = 1; cut < answer.length; cut++) {
    expect(read([bytes(answer.slice(0, cut)), bytes(answer.slice(cut))])).toEqual(whole);
  }
  expect(read(Array.from(bytes(answer), (byte) => Buffer.from([byte])))).toEqual(whole);
});

test("chunks that came in one read are one piece, and end with it", () => {
  const pieces: string[] = [];
  const nothing = (): void => undefined;
  const parser = new ResponseParser({
    onInformational: nothing,
    onHead: nothing,
    onBody: (chunk) => pieces.push(chunk.toString()),
    onUpgrade: nothing,
    onEnd: () => pieces.push("end"),
  });
  parser.expect("GET");
  parser.execute(bytes("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n2\r\nbc\r\n3\r\nd"));
  parser.execute(bytes("ef\r\n1\r\ng\r\n0\r\n\r\n"));
  expect(pieces).toEqual(["abcd", "efg", "end"]);
});

test("any change of an answer is read in one way, however it is cut, or refused", () => {
  const mutation = fc.record({
    answer: fc.constantFrom(...answers),
    at: fc.nat(200),
    put: fc.constantFrom(
      "",
      "\r",
      "\n",
      "\r\n",
      "\0",
      ":",
      " ",
      "0",
      "9",
      ",",
      "chunked",
      "Content-Length: 1\r\n",
    ),
    drop: fc.nat(3),
    cut: fc.nat(200),
  });
  fc.assert(
    fc.property(mutation, ({ answer, at, put, drop, cut }) => {
      const where = at % answer.length;
      const changed = answer.slice(0, where) + put + answer.slice(where + drop);
      const half = cut % (changed.length + 1);
      const whole = read([bytes(changed)]);
      const pieces = read([bytes(changed.slice(0, half)), bytes(changed.slice(half))]);
      // How many bytes came behind the answer depends on the piece that held its end.
      expect({ ...pieces, excess: 0 }).toEqual({ ...whole, excess: 0 });
    }),
    { numRuns: 2_000 },
  );
});

describe("refused:", () => {
  test.each([
    ["two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na"],
    ["a length and a coding", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"],
    ["a list of lengths", "HTTP/1.1 200 OK\r\nContent-Length: 1, 1\r\n\r\na"],
    ["a negative length", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"],
    ["a folded field", "HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n"],
    ["a space before the colon", "HTTP/1.1 200 OK\r\nX : a\r\n\r\n"],
    ["a bare LF", "HTTP/1.1 200 OK\nX: a\r\n\r\n"],
    ["a bare CR", "HTTP/1.1 200 OK\r\nX: a\rb\r\n\r\n"],
    ["another protocol", "ICY 200 OK\r\n\r\n"],
    [
      "a chunk that is longer than it says",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n",
    ],
    ["a chunk of no length", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\n"],
    ["an end in the middle", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell"],
    ["a head that is too long", `HTTP/1.1 200 OK\r\nX: ${"y".repeat(70_000)}\r\n\r\n`],
  ])("%s", (_, answer) => {
    expect(read([bytes(answer)]).error).toBe("malformed");
  });
});

test("whether a connection may carry another request", () => {
  const persistent = (answer: string): boolean | undefined => read([bytes(answer)]).heads.at(-1)?.persistent;
  const end = "Content-Length: 0\r\n\r\n";
  expect(persistent(`HTTP/1.1 200 OK\r\n${end}`)).toBe(true);
  expect(persistent(`HTTP/1.1 200 OK\r\nConnection: x, Close\r\n${end}`)).toBe(false);
  expect(persistent(`HTTP/1.0 200 OK\r\n${end}`)).toBe(false);
  expect(persistent(`HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\n${end}`)).toBe(true);
  expect(persistent("HTTP/1.1 200 OK\r\n\r\n")).toBe(false);
});
