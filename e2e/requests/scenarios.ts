// What is counted of requests on connections that go natively to their endpoint; all bytes are compared by digest.
import assert from "node:assert/strict";
import type { OverFamilies } from "../scenarios/families.ts";
import type { Family } from "../scenarios/reviews-world.ts";
import { withAgentRights } from "../world/agent-rights.ts";
import { uninstallRunning } from "../world/applier.ts";
import { until } from "../world/until.ts";
import type { DigestResult } from "./digest-task.ts";
import { bytesOf } from "./programs/bytes-of.ts";
import {
  type Counted,
  type LookingMode,
  lookingModes,
  type Piece,
  type RequestsWorld,
} from "./requests-world.ts";

/** How much is sent where more shows more. */
export interface RequestsScale {
  readonly requests: number;
  readonly restarts: number;
}

export interface RequestsScenario extends OverFamilies {
  readonly name: string;
  /** Modes that it is run in; all if left out. */
  readonly in?: readonly LookingMode[];
  /** It takes long, and addresses are no part of what it looks at: over one family it says what it says over all. */
  readonly isLong?: true;
  run(requests: RequestsWorld, family: Family, scale: RequestsScale): Promise<void>;
}

const oneSmall = { connections: 1, requests: 1, mostBytes: 1, seed: 1 } as const;

const difference = (after: Counted, before: Counted): Counted => ({
  requests: after.requests - before.requests,
  bytes: after.bytes - before.bytes,
  lost: after.lost - before.lost,
});

/** Nothing failed, and the server had what was sent. */
function assertRight(result: DigestResult, connections: number): void {
  assert.deepEqual(
    { wrong: result.wrong, failures: result.failures, connections: result.connections },
    { wrong: 0, failures: {}, connections },
  );
}

/** What was counted of what is sent, beside what the server saw meanwhile. */
async function compare(
  requests: RequestsWorld,
  host: string,
  send: () => Promise<DigestResult>,
): Promise<{ counted: Counted; seen: Counted; result: DigestResult }> {
  // A request of a connection of its own asks the server; it is seen and counted as all others are.
  const ask = async (): Promise<Counted> => {
    const { seenRequests, seenBytes } = await requests.digests({ host, ...oneSmall });
    return { requests: seenRequests, bytes: seenBytes, lost: 0 };
  };
  const [seenBefore, countedBefore] = [await ask(), await requests.counted()];
  const result = await send();
  const [seen, counted] = [await ask(), await requests.counted()];
  return { counted: difference(counted, countedBefore), seen: difference(seen, seenBefore), result };
}

const get = (more = "", path = "/"): string => `GET ${path} HTTP/1.1\r\nHost: digests\r\n${more}\r\n`;
/** What stands behind the head; nothing, if that is not whole. */
const bodyOf = (answer: string): string => /(?<=\r\n\r\n).*$/s.exec(answer)?.[0] ?? "";
const answersIn = (received: string): number => received.split("HTTP/1.1 200 OK").length - 1;

/** Sends pieces, of which some requests are to be counted, and all are to be answered. */
async function assertCounted(
  requests: RequestsWorld,
  family: Family,
  pieces: readonly Piece[],
  expected: { counted: number; lost: number; answered: number },
): Promise<void> {
  const before = await requests.counted();
  const received = await requests.raw(requests.address(family), pieces);
  const { requests: counted, lost } = difference(await requests.counted(), before);
  assert.deepEqual({ counted, lost, answered: answersIn(received) }, expected, received.slice(0, 500));
}

/** All arrives as it was sent, and what is counted of it is what the server saw. */
async function assertDigestsCounted(
  requests: RequestsWorld,
  host: string,
  sent: Omit<Parameters<RequestsWorld["digests"]>[0], "host">,
): Promise<{ counted: Counted; result: DigestResult }> {
  const { counted, seen, result } = await compare(requests, host, () => requests.digests({ host, ...sent }));
  assertRight(result, sent.connections);
  assert.deepEqual(counted, seen);
  return { counted, result };
}

export const requestsScenarios: readonly RequestsScenario[] = [
  {
    name: "requests of all sizes on kept connections are counted as the server saw them, and arrive as they were sent",
    async run(requests, family, scale) {
      const host = requests.address(family);
      const sent = { connections: 8, requests: scale.requests, mostBytes: 2 ** 20, seed: 7 };
      const before = await requests.shortcuts();
      const { counted, result } = await assertDigestsCounted(requests, host, sent);
      assert.equal(result.requests, scale.requests);
      assert.equal(counted.requests, scale.requests + 1);
      assert.equal((await requests.shortcuts()) > before, requests.mode === "queue");
    },
  },
  {
    name: "bodies that no buffer holds are sent in parts, and counted once",
    isLong: true,
    async run(requests, family) {
      const sent = { connections: 2, requests: 30, mostBytes: 2 ** 25, seed: 11 };
      await assertDigestsCounted(requests, requests.address(family), sent);
    },
  },
  {
    name: "requests over an IPv4-mapped address are counted",
    over: ["IPv4"],
    async run(requests) {
      const sent = { connections: 2, requests: 50, mostBytes: 2 ** 16, seed: 3 };
      await assertDigestsCounted(requests, `::ffff:${requests.address("IPv4")}`, sent);
    },
  },
  {
    name: "several requests in one send are all counted, also where a body ends in the send of the next head",
    async run(requests, family) {
      const post = "POST / HTTP/1.1\r\nHost: digests\r\nContent-Length: 10\r\n\r\n";
      await assertCounted(
        requests,
        family,
        [
          { text: get().repeat(20), afterAnswers: 0 },
          { text: `${post}01234`, afterAnswers: 20 },
          { text: `56789${get()}${post}0123456789`, afterAnswers: 20 },
          { text: get(), afterAnswers: 23 },
        ],
        { counted: 24, lost: 0, answered: 24 },
      );
    },
  },
  {
    name: "from a head that is not strict or not whole on, a connection's requests pass and are not counted",
    async run(requests, family) {
      const chunked =
        "POST / HTTP/1.1\r\nHost: digests\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
      for (const { pieces, counted = 0 } of [
        { pieces: [chunked] },
        { pieces: [get().slice(0, 20), get().slice(20)] },
        { pieces: [get().slice(0, -1), "\n"] },
        { pieces: [get(`x-long: ${"a".repeat(9_000)}\r\n`)] },
        { pieces: [get().repeat(65)], counted: 64 },
      ]) {
        // One before, those that are counted, the one that is not.
        const last = 1 + counted + 1;
        await assertCounted(
          requests,
          family,
          [
            { text: get(), afterAnswers: 0 },
            ...pieces.map((text) => ({ text, afterAnswers: 1 })),
            { text: get(), afterAnswers: last },
          ],
          { counted: 1 + counted, lost: 1, answered: last + 1 },
        );
      }
    },
  },
  {
    name: "a connection whose first bytes are sent in the call that connects is not counted, as they pass by",
    over: ["IPv4"],
    async run(requests) {
      const before = await requests.counted();
      const received = await requests.fastOpen([get(), get()]);
      const { requests: counted, lost } = difference(await requests.counted(), before);
      assert.deepEqual(
        { counted, lost, answered: answersIn(received) },
        { counted: 0, lost: 1, answered: 2 },
      );
    },
  },
  {
    name: "callers and servers that are killed are missed by nobody, and no socket stays in the kernel's map",
    isLong: true,
    async run(requests, family) {
      const host = requests.address(family);
      const task = { host, connections: 4, mostBytes: 2 ** 18 };
      await requests.killCaller({ ...task, seed: 13 });
      const { wrong, failures } = await requests.digestsDuring({ ...task, seed: 17 }, () =>
        requests.killServer(),
      );
      assert.equal(wrong, 0);
      assert.deepEqual(
        Object.keys(failures).filter((code) => !/^(ECONNRESET|ECONNREFUSED|EPIPE)$/.test(code)),
        [],
      );
      const { counted, seen } = await compare(requests, host, async () => {
        const result = await requests.digests({ ...task, requests: 100, seed: 19 });
        assertRight(result, 4);
        return result;
      });
      assert.deepEqual(counted, seen);
      await until(async () => (await requests.socketsLookedAt()) === 0, {
        what: "all sockets to leave the map",
      });
    },
  },
  {
    name: "an agent that is killed and starts again counts on: connections stay, and programs are replaced under them",
    isLong: true,
    async run(requests, family, scale) {
      const host = requests.address(family);
      const { world } = requests;
      const { counted, seen } = await compare(requests, host, async () => {
        const result = await requests.digestsDuring(
          { host, connections: 4, mostBytes: 2 ** 16, seed: 5 },
          async () => {
            for (let i = 0; i < scale.restarts; i++) {
              await world.applier().kill();
              await requests.startLooking();
            }
          },
        );
        assertRight(result, 4);
        return result;
      });
      assert.deepEqual(counted, seen);
    },
  },
  {
    name: "an agent that no longer looks at sockets, and one that is uninstalled, leave connections as they are",
    over: ["IPv4"],
    async run(requests, family) {
      const { world } = requests;
      const result = await requests.digestsDuring(
        { host: requests.address(family), connections: 4, mostBytes: 2 ** 16, seed: 9 },
        async () => {
          await world.applier().stop();
          await world.startApplier(1);
          await world.settled();
          assert.equal((await world.applier().status()).sockets.mode, "off");
          await world.applier().stop();
          await requests.startLooking();
          await uninstallRunning(world.applier());
          await world.applier().stop();
          await requests.startLooking();
        },
      );
      assertRight(result, 4);
    },
  },
  {
    name: "what lies unread past TCP is its reader's, also where an agent of other layouts comes meanwhile",
    in: ["queue"],
    over: ["IPv4"],
    async run(requests) {
      const answerBytes = 50_000;
      const ask = get(`x-seed: 7\r\nx-answer-bytes: ${answerBytes}\r\n`);
      const whole = bytesOf(7, answerBytes).toString("latin1");
      await using caller = await requests.callerSocket();
      await caller.connect();
      const before = await requests.shortcuts();
      await caller.socket.send(ask);
      await until(async () => (await requests.shortcuts()) >= before + 2, {
        what: "a request and its answer to go past TCP",
      });
      await requests.replaceAgent(async () => {
        assert.equal(
          bodyOf(await caller.receive((received) => bodyOf(received).length >= answerBytes)),
          whole,
        );
      });
      // By TCP, from now on.
      await caller.socket.send(ask);
      assert.equal(bodyOf(await caller.receive((received) => bodyOf(received).length >= answerBytes)), whole);
      await requests.world.applier().stop();
      await requests.startLooking();
    },
  },
  // The last one: it leaves an agent that does not look.
  {
    name: "without CAP_PERFMON requests are not counted, the agent says why, and connections are decided all the same",
    over: ["IPv4"],
    async run(requests, family) {
      const { world } = requests;
      await world.applier().stop();
      await requests.startLooking({ startedBy: await withAgentRights() });
      const { sockets } = await world.applier().status();
      assert.equal(sockets.mode, "off");
      assert.match(sockets.lowerBecause ?? "", /keelson_(count_requests|established).*CAP_PERFMON/s);
      const result = await requests.digests({ host: requests.address(family), ...oneSmall });
      assertRight(result, 1);
    },
  },
];

/** The scenarios that are to be run in a mode. */
export const scenariosIn = (mode: LookingMode): readonly RequestsScenario[] =>
  requestsScenarios.filter(({ in: modes = lookingModes }) => modes.includes(mode));
