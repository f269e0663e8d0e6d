// Requests that programs take off the way to the relay: who answered them, and what the node counted of them.
import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { requestProgram } from "@keelson/bpf";
import { PinFolder } from "@keelson/bpf-applier";
import { BpfLink, BpfMap, BpfProgram } from "bpf-maps-native";
import { Calls } from "../kernel-behaviour/calls.ts";
import { flag, int, level, option, poll, Socket } from "../kernel-behaviour/sockets.ts";
import { type KernelObjects, untilGone } from "../node/kernel-objects.ts";
import { replaceAgent, takeOver } from "../relay-deaths/deaths.ts";
import { balancedRequestsScenarios } from "./balanced-requests.ts";
import { assertCheapToVerify } from "./cheap-to-verify.ts";
import { allTo, conversing, to } from "./conversation.ts";
import { relayWakesScenarios } from "./relay-wakes.ts";
import { requestsOnLinksScenarios } from "./requests-on-links.ts";
import type { Family, ReviewsWorld } from "./reviews-world.ts";
import type { Scenario } from "./scenario.ts";
import { assertShares } from "./shares.ts";
import { during, sized, untilTaken } from "./taken.ts";

const answerWithinMs = 5_000;

/** Weights hold for a connection's requests, whoever carries them. */
async function assertRouted(reviews: ReviewsWorld, family: Family): Promise<void> {
  await reviews.httpRoutes({ route: [to("v1", 50), to("v2", 50)] });
  await conversing(reviews, family, async (talk) => {
    await talk.askTimes(40);
    assertShares(talk.outcomes, { v1: 0.5, v2: 0.5 });
    assert.equal(talk.ports.size, 1);
  });
}

async function restart(
  reviews: ReviewsWorld,
  start: Parameters<ReviewsWorld["startApplier"]>[0],
): Promise<void> {
  await reviews.world.applier().stop();
  await reviews.startApplier(start);
}

/** A caller that blocks in recv(2) may get EAGAIN where programs look at its socket. */
async function answerOn(socket: Socket): Promise<string> {
  await socket.poll(poll.in, answerWithinMs);
  const answer = await socket.receive();
  return answer === "EAGAIN" ? answerOn(socket) : answer;
}

/** Makes system calls in the caller's pod. */
async function callsOf({ world, caller }: ReviewsWorld): Promise<Calls> {
  const { pods } = await world.applier().status();
  const cgroup = pods.find(({ name }) => name === `default/${caller.name}`)?.cgroup;
  assert.ok(cgroup, "the agent knows no cgroup of the caller's");
  return Calls.start(join(world.nodeCgroup(1), cgroup), {
    namespace: `/run/netns/${world.names.podNamespace(caller.name)}`,
  });
}

const pinsOf = (reviews: ReviewsWorld): Promise<PinFolder> => PinFolder.find(reviews.world.applier().node);

function infoOf(pin: string): BpfMap["info"] {
  using map = BpfMap.openPinned(pin);
  return map.info;
}

/** All programs that calls, requests and answers meet on the node. Names are cut off by the kernel. */
async function programsOf(pins: PinFolder, maps = pins.mapFolder): Promise<readonly BpfProgram["info"][]> {
  const found: BpfProgram["info"][] = [];
  const take = (program: BpfProgram): void => {
    found.push(program.info);
    program.close();
  };
  for (const name of await pins.links()) {
    using link = BpfLink.openPinned(pins.link(name));
    take(BpfProgram.openById(link.info.programId));
  }
  for (const name of ["request_programs", "answer_programs"]) {
    using programs = BpfMap.openPinned(join(maps, name));
    for await (const key of programs.keys()) {
      const id = programs.programId(key);
      if (id !== undefined) take(BpfProgram.openById(id));
    }
  }
  take(BpfProgram.openPinned(join(maps, "command")));
  return found;
}

/** What chooses an endpoint for requests whose rule another program has found. */
const balancingPlace = new Uint8Array(new Uint32Array([requestProgram.balances.value]).buffer);

/** The program that is called there. */
const balancing = (requests: BpfMap): BpfProgram =>
  BpfProgram.openById(requests.programId(balancingPlace) ?? 0);

/** Requests by the route of that name, whoever has decided them. */
async function countedOf(reviews: ReviewsWorld, name: string): Promise<number> {
  const answered = (await reviews.world.applier().edges()).flatMap((edge) => edge.answered);
  return answered
    .filter(({ route }) => route === name)
    .reduce((sum, { requests }) => sum + Number(requests), 0);
}

/** All by which calls and requests are decided, but for links, which stay; of whatever layouts. */
async function objectsOf(reviews: ReviewsWorld): Promise<KernelObjects> {
  const pins = await pinsOf(reviews);
  const [folder = "", ...others] = (await readdir(pins.path)).filter((name) => name.startsWith("maps-"));
  assert.deepEqual(others, []);
  const maps = join(pins.path, folder);
  const names = (await readdir(maps)).filter((name) => name !== "command" && name !== "unread");
  return {
    link: new Set(),
    map: new Set(names.map((name) => infoOf(join(maps, name)).id)),
    program: new Set((await programsOf(pins, maps)).map(({ id }) => id)),
  };
}

const someCallers = { busy: 4, pausing: 8, idle: 20, fresh: 2 };

export const takenRequestsScenarios: readonly Scenario[] = [
  ...balancedRequestsScenarios,
  ...requestsOnLinksScenarios,
  ...relayWakesScenarios,
  {
    name: "weights hold for requests of one connection that programs take, and they move the answers",
    async run(reviews, family) {
      const shares = { v1: 0.8, v3: 0.2 };
      await reviews.httpRoutes({ route: [to("v1", 80), to("v3", 20)] });
      await conversing(reviews, family, async (talk) => {
        await untilTaken(reviews, talk);
        const times = reviews.scale.connections;
        const { taken, moved } = await during(reviews, async () => {
          for (let i = 0; i < times; i++) await talk.ask(sized);
        });
        assertShares(talk.outcomes, shares);
        assert.equal(talk.ports.size, 1);
        assert.ok(taken >= times * 0.9, `programs took ${taken} of ${times} requests`);
        assert.equal(moved, taken);
      });
    },
  },
  {
    name: "a header and a path decide where programs take requests, and what no route matches is the relay's",
    async run(reviews, family) {
      await reviews.httpRoutes(
        { name: "jason", match: [{ headers: { "end-user": { exact: "jason" } } }], ...allTo("v2") },
        { match: [{ uri: { prefix: "/v3" } }], ...allTo("v3") },
      );
      const jason = { ...sized, headers: { "End-User": "jason" } };
      const path = { path: "/v3/sized" };
      const countedBefore = await countedOf(reviews, "jason");
      await conversing(reviews, family, async (talk) => {
        await untilTaken(reviews, talk, jason);
        await untilTaken(reviews, talk, path);
        assert.deepEqual(Object.keys(talk.outcomes).sort(), ["v2", "v3"]);
        const counted = await during(reviews, async () => {
          assert.equal(await talk.ask(jason), "v2");
          assert.equal(await talk.ask(path), "v3");
          assert.equal(await talk.ask(), "404");
        });
        assert.deepEqual(counted, { taken: 2, moved: 2, passedByRule: 1 });
        assert.equal(talk.ports.size, 1);
        // Whether the relay had them or programs, they are counted by their route.
        assert.equal((await countedOf(reviews, "jason")) - countedBefore, talk.outcomes["v2"]);
      });
    },
  },
  {
    name: "a change of the rule moves the next request that programs take on an open connection",
    async run(reviews, family) {
      const other = { match: [{ uri: { prefix: "/other" } }], ...allTo("v1") };
      await reviews.httpRoutes(other, allTo("v2"));
      await conversing(reviews, family, async (talk) => {
        for (const version of ["v1", "v3", "v2"]) {
          await reviews.httpRoutes(other, allTo(version));
          assert.equal(await talk.ask(sized), version);
          await untilTaken(reviews, talk);
          assert.equal(await talk.ask(sized), version);
        }
        assert.equal(talk.ports.size, 1);
      });
    },
  },
  {
    name: "a caller that wants to know when its memory is free again (SO_ZEROCOPY) is told: its requests are the relay's",
    // What the kernel tells of is the same for both families.
    over: ["IPv4"],
    async run(reviews, family) {
      await reviews.httpRoutes({ route: [to("v1", 50), to("v2", 50)] });
      const { host, port } = reviews.target(family);
      await using calls = await callsOf(reviews);
      const socket = await Socket.open(calls);
      assert.equal((await socket.connect(host, port)).error, "");
      const ask = async (more = 0): Promise<void> => {
        const head = "GET /sized HTTP/1.1\r\nHost: reviews\r\n\r\n";
        assert.equal(await socket.send(head, flag.noSignal | more), head.length);
        assert.match(await answerOn(socket), /^HTTP\/1\.1 200 OK\r\n/);
      };
      await reviews.until(async () => (await during(reviews, () => ask())).taken === 1);
      await socket.setOption(level.socket, option.zeroCopy, int(1));
      const { taken } = await during(reviews, async () => {
        for (let i = 0; i < 10; i++) await ask(flag.zeroCopy);
      });
      assert.equal(taken, 0);
      assert.equal(await socket.poll(poll.error, answerWithinMs), poll.error);
    },
  },
  {
    name: "agents of other layouts follow each other under load: no request is lost, and nothing is left of the one before",
    // What is handed over is the same for both families; of the other one in the next scenario.
    over: ["IPv4"],
    async run(reviews, family) {
      await reviews.httpRoutes({ route: [to("v1", 50), to("v2", 50)] });
      let last = await objectsOf(reviews);
      await replaceAgent(reviews, family, someCallers, [{ otherLayouts: true }, {}], async () => {
        await untilGone(last);
        last = await objectsOf(reviews);
        await conversing(reviews, family, (talk) => untilTaken(reviews, talk));
      });
    },
  },
  {
    name: "an agent that is killed, and starts with a lower mode, and with the higher one again, loses no request",
    over: ["IPv6"],
    async run(reviews, family) {
      await reviews.httpRoutes({ route: [to("v1", 50), to("v2", 50)] });
      const modes = ["count", "switch"] as const;
      const starts = modes.map((sockets) => ({ sockets }));
      await replaceAgent(reviews, family, someCallers, starts, async (number) => {
        const { mode } = (await reviews.world.applier().status()).sockets;
        assert.equal(mode, modes[number]);
      });
    },
  },
  {
    name: "agents in containers take the node over from each other: no request is lost, also as each container ends after it",
    // What is handed over is the same for both families.
    over: ["IPv6"],
    async run(reviews, family) {
      await reviews.httpRoutes({ route: [to("v1", 50), to("v2", 50)] });
      await takeOver(reviews, family, someCallers, 2);
      await conversing(reviews, family, (talk) => untilTaken(reviews, talk));
    },
  },
  {
    name: "while an agent replaces the programs of another, those of both that have a request speak of the same one",
    // They are the same for both families.
    over: ["IPv4"],
    async run(reviews, family) {
      // Of several endpoints, so that the program which finds the rule leaves the choice to another one.
      const route = [{ destination: { host: "reviews" } }];
      const match = [{ headers: { "end-user": { exact: "jason" } } }];
      await reviews.httpRoutes({ name: "jason", match, route }, { route });
      using requests = BpfMap.openPinned((await pinsOf(reviews)).map("request_programs"));
      await conversing(reviews, family, async (talk) => {
        await untilTaken(reviews, talk);
        await untilTaken(reviews, talk, { ...sized, headers: { "End-User": "jason" } });
        using before = balancing(requests);
        await reviews.world.applier().kill();
        await reviews.startApplier();
        using after = balancing(requests);
        assert.notEqual(after.info.id, before.info.id);
        const countedBefore = await countedOf(reviews, "jason");
        // As it is for a moment: the others are this agent's already.
        await requests.setProgram(balancingPlace, before);
        try {
          await untilTaken(reviews, talk);
        } finally {
          await requests.setProgram(balancingPlace, after);
        }
        assert.equal(await countedOf(reviews, "jason"), countedBefore);
        assert.equal(talk.ports.size, 1);
      });
    },
  },
  {
    name: "all programs that calls, requests and answers meet are cheap to verify",
    // They are the same for both families.
    over: ["IPv4"],
    async run(reviews) {
      const found = await programsOf(await pinsOf(reviews));
      assert.deepEqual(
        [
          "keelson_connect4",
          "keelson_count_requests",
          "keelson_switch",
          "keelson_match_large",
          "keelson_balance",
          "keelson_answer",
        ].filter((wanted) => !found.some(({ name }) => wanted.startsWith(name))),
        [],
      );
      assertCheapToVerify(found);
    },
  },
  {
    name: "where the kernel refuses programs that take requests, the agent counts them alone, says why, and the relay carries all",
    // As above.
    over: ["IPv4"],
    async run(reviews, family) {
      // A map of the same sizes that knows no lock: the programs that lock its values are refused.
      const pin = (await pinsOf(reviews)).map("pools");
      const { keySize, valueSize } = infoOf(pin);
      await restart(reviews, { sockets: "count" });
      await reviews.world.applier().stop();
      using lockless = BpfMap.create({ type: "hash", name: "pools", keySize, valueSize, maxEntries: 16 });
      lockless.pin(pin);
      await reviews.startApplier();
      const { sockets } = await reviews.world.applier().status();
      assert.equal(sockets.mode, "count");
      assert.match(sockets.lowerBecause ?? "", /program keelson_/);
      const { taken } = await during(reviews, () => assertRouted(reviews, family));
      assert.equal(taken, 0);
      await restart(reviews, {});
      assert.equal((await reviews.world.applier().status()).sockets.mode, reviews.sockets);
    },
  },
];
