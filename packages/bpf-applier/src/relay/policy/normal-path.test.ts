import { match, matchAutomaton } from "@keelson/compiler/automaton";
import fc from "fast-check";
import { expect, test } from "vitest";
import { normalPath } from "./normal-path.ts";

const printable = Array.from({ length: 0x7e - 0x20 }, (_, at) => String.fromCharCode(0x21 + at));
const piece = fc.oneof(
  fc.constantFrom("a", "b", "/", "/", ".", "..", "%41", "%2F", "%zz"),
  fc.constantFrom(...printable.filter((character) => character !== "?" && character !== "#")),
);
const paths = fc.array(piece, { maxLength: 8 }).map((pieces) => `/${pieces.join("")}`);

test("a path that programs take with a request is in the normal form that endpoints get it in from the relay", () => {
  const automaton = matchAutomaton([[]]);
  if ("unfit" in automaton) throw new Error(automaton.unfit);
  let taken = 0;
  fc.assert(
    fc.property(paths, (path) => {
      const verdict = match(automaton, Buffer.from(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`));
      if ("relay" in verdict) return;
      taken++;
      expect(normalPath(path)).toBe(path);
    }),
    { numRuns: 5_000 },
  );
  expect(taken).toBeGreaterThan(500);
});
