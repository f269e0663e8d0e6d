import assert from "node:assert/strict";
import { matchRelay, matchScan, matchVerdict } from "@keelson/bpf";
import { type MatchAutomaton, match, type Verdict } from "@keelson/compiler/automaton";
import type { TypedMap } from "bpf-maps-native";
import { corpusAutomaton, wholeHeads } from "../../matching/corpus.ts";
import { putAutomaton, verdictOf } from "../../matching/kernel-matcher.ts";
import { until } from "../../world/until.ts";
import type { Behaviour, Observed } from "../behaviour.ts";
import { Bench, type Connection, places } from "../bench.ts";
import { bytes } from "../calls.ts";
import { flag } from "../sockets.ts";

type Ends = { local: number; remote: number };
/** struct reading of programs/heads.bpf.c. */
type Reading = {
  scan: Scan;
  start: number;
  context: number;
  read: number;
  again: number;
  verdict: number;
  detail: number;
  head_length: number;
  as_expected: number;
  otherwise: number;
  in_parts: number;
};
/** struct match_scan. */
type Scan = {
  state: number;
  context: number;
  seen: number;
  value_start: number;
  number: number;
  content_length: number;
  before: number;
  is_head: number;
  verdict: number;
  detail: number;
  head_length: number;
  status: number;
};

const emptyScan: Scan = {
  state: 0,
  context: 0,
  seen: 0,
  value_start: 0,
  number: 0,
  content_length: 0,
  before: 0,
  is_head: 0,
  verdict: 0,
  detail: 0,
  head_length: 0,
  status: 0,
};

const nobody: Ends = { local: 0, remote: 0 };
/** The kernel tier's programs are to stay under a quarter of what the verifier walks at most. */
const mostInstructions = 250_000;
const slot = new Uint8Array(4);

/** Writes an automaton's table for the programs. */
function useAutomaton(bench: Bench, automaton: MatchAutomaton): void {
  using table = bench.object.map("table");
  putAutomaton(table, automaton);
}

/** A reading that has not begun, and how it should end. */
function reading({ start, context }: MatchAutomaton, expected: Verdict, again = 0): Reading {
  const rule = "rule" in expected;
  return {
    scan: emptyScan,
    start,
    context,
    read: 0,
    again,
    verdict: rule ? matchVerdict.rule.value : matchVerdict.relay.value,
    detail: rule ? (expected.rule ?? -1) + 1 : matchRelay[expected.relay].value,
    head_length: rule ? expected.headLength : 0,
    as_expected: 0,
    otherwise: 0,
    in_parts: 0,
  };
}

/** What a scan found, in the executor's words. */
function foundBy({ value_start, content_length, is_head, head_length, ...same }: Scan): Verdict {
  const renamed = { valueStart: value_start, contentLength: content_length, isHead: is_head };
  return verdictOf(matchScan.encode({ ...same, ...renamed, headLength: head_length }));
}

/** Pieces of a head, cut in two at every offset. */
const cuts = (head: Buffer): [Buffer, Buffer][] =>
  Array.from({ length: head.length - 1 }, (_, at) => [head.subarray(0, at + 1), head.subarray(at + 1)]);

/** Feeds pieces to the program by hand. */
class Feeder {
  readonly #bench: Bench;
  readonly #readings: TypedMap<Ends, Reading>;

  constructor(bench: Bench, readings: TypedMap<Ends, Reading>) {
    this.#bench = bench;
    this.#readings = readings;
  }

  async read(automaton: MatchAutomaton, expected: Verdict, pieces: readonly Buffer[]): Promise<Verdict> {
    using feed = this.#bench.object.program("feed");
    this.#readings.set(nobody, reading(automaton, expected));
    for (const piece of pieces) {
      this.put(piece);
      assert.equal((await feed.testRun()).returnValue, 0);
      const state = this.#readings.get(nobody);
      if (state?.scan.verdict !== matchVerdict.open.value) break;
    }
    return foundBy(this.#readings.get(nobody)?.scan ?? emptyScan);
  }

  put(piece: Buffer): void {
    using fed = this.#bench.object.map("fed");
    const value = new Uint8Array(fed.info.valueSize);
    new Uint32Array(value.buffer, 0, 1).set([piece.length]);
    value.set(piece, 4);
    fed.update(slot, value);
  }
}

/** Each head cut in two at every offset, read from a map. The number of readings. */
async function feedCuts(
  feeder: Feeder,
  automaton: MatchAutomaton,
  heads: readonly Buffer[],
): Promise<number> {
  let count = 0;
  for (const head of heads) {
    const expected = match(automaton, head);
    for (const pieces of cuts(head)) {
      assert.deepEqual(await feeder.read(automaton, expected, pieces), expected, head.toString());
      count += 1;
    }
  }
  return count;
}

/** Each head cut in two at every offset, sent as two messages on a real connection. The number of readings. */
async function sendCuts(
  { active, passive }: Connection,
  readings: TypedMap<Ends, Reading>,
  automaton: MatchAutomaton,
  heads: readonly Buffer[],
): Promise<number> {
  const ends = { local: await active.port(), remote: await passive.port() };
  let count = 0;
  for (const head of heads) {
    const expected = match(automaton, head);
    for (const [one, two] of cuts(head)) {
      readings.set(ends, reading(automaton, expected));
      assert.equal(await active.send(one), one.length);
      assert.equal(await active.send(two), two.length);
      assert.deepEqual(foundBy(readings.get(ends)?.scan ?? emptyScan), expected, head.toString());
      assert.equal((await passive.receive(head.length, flag.waitAll)).length, head.length);
      count += 1;
    }
  }
  return count;
}

/** Heads of 300 bytes that fit into a connection's buffers. */
const unread = 300;

/** A head again and again, so that the kernel lays some of them across two of its pages. How many it did. */
async function sendMany(
  { active, passive }: Connection,
  readings: TypedMap<Ends, Reading>,
  automaton: MatchAutomaton,
  [head, times]: readonly [Buffer, number],
): Promise<number> {
  const ends = { local: await active.port(), remote: await passive.port() };
  readings.set(ends, reading(automaton, match(automaton, head), 1));
  const content = bytes(head);
  // What is read frees its page, which is then used again from its beginning: so some lie unread before that.
  for (let left = times; left > 0; left -= unread) {
    const often = `x${Math.min(unread, left)}`;
    const how = [active.fd, content, head.length, flag.noSignal, 0, 0] as const;
    const { result } = await active.calls.call(often, "sendto", ...how);
    assert.equal(result, Math.min(unread, left) * head.length);
    let read = 0;
    const all = async (): Promise<boolean> => (read += await passive.discard()) >= result;
    await until(all, { what: "all heads", everyMs: 1 });
  }
  const { as_expected, otherwise, in_parts } = readings.get(ends) ?? reading(automaton, { relay: "byte" });
  assert.deepEqual([as_expected, otherwise], [times, 0]);
  return in_parts;
}

/** What a search finds whose state begins as constants on the stack, or as values from a map. */
async function searches(bench: Bench, feeder: Feeder): Promise<Observed> {
  const head = Buffer.from("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  feeder.put(head);
  const find = async (name: string): Promise<boolean> => {
    using program = bench.object.program(name);
    return (await program.testRun()).returnValue === head.length;
  };
  // What the design stands on.
  assert.ok(await find("search_from_map"), "a search that begins with values from a map finds nothing");
  return {
    "bpf_loop, state from constants on the stack: finds the head's end": await find("search_from_constants"),
    "bpf_loop, state from a map: finds the head's end": true,
  };
}

/** How many instructions the verifier walked for each program that reads heads. */
function verified(bench: Bench, tell: (figure: string) => void): void {
  for (const name of ["feed", "speak"]) {
    using program = bench.object.program(name);
    const { verifiedInstructions } = program.info;
    tell(`${name}: ${verifiedInstructions} instructions verified`);
    assert.ok(verifiedInstructions < mostInstructions, `${name}: ${verifiedInstructions} instructions`);
  }
}

export const heads: Behaviour = {
  name: "bytes of heads",
  claim:
    "The matcher finds in the kernel what its TypeScript executor finds, in heads that come in two pieces or lie across two pages; " +
    "before 6.7 a loop whose state begins as constants on the stack finds nothing.",
  async observe(size, tell): Promise<Observed> {
    await using bench = await Bench.open("heads");
    const automaton = corpusAutomaton();
    useAutomaton(bench, automaton);
    const readings = bench.map<Ends, Reading>("readings");
    const feeder = new Feeder(bench, readings);
    verified(bench, tell);
    const every = (n: number): Buffer[] => wholeHeads.filter((_, index) => index % n === 0);
    const fed = await feedCuts(feeder, automaton, every(size === "short" ? 20 : 1));
    const home = await bench.listen({ active: places.speaks });
    const connection = await bench.connect(home);
    const sent = await sendCuts(connection, readings, automaton, every(size === "short" ? 38 : 4));
    tell(`${fed} readings from a map, ${sent} from a socket`);
    // 300 bytes: 109 of them leave 68 in a page fragment of 32 KiB, which is where the next one begins.
    const long = Buffer.from(`GET /static HTTP/1.1\r\nHost: a\r\nx-filler: ${"f".repeat(255)}\r\n\r\n`);
    const times = size === "short" ? 2_000 : 20_000;
    const inParts = await sendMany(await bench.connect(home), readings, automaton, [long, times]);
    tell(`${inParts} of ${times} heads of ${long.length} bytes lay across two pages`);
    return {
      "cut in two at every offset: all as the executor finds": true,
      "sent again and again: some lie across two pages": inParts > 0,
      "sent again and again: all as the executor finds": true,
      ...(await searches(bench, feeder)),
    };
  },
};
