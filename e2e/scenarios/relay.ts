// What a relay decides for each request, on connections that are kept; what comes of it when it, or the agent, is killed.
import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { PinFolder } from "@keelson/bpf-applier";
import { formatEndpoint, parseAddress } from "@keelson/model";
import { relayPid } from "../relay-deaths/deaths.ts";
import { type ApplierPlace, uninstallRunning } from "../world/applier.ts";
import { makeCgroup, removeCgroup } from "../world/cgroups.ts";
import { ownAddresses, virtualService } from "../world/objects.ts";
import { programPath } from "../world/running-process.ts";
import { type Tally, total } from "../world/tally.ts";
import { allTo, conversing, to } from "./conversation.ts";
import { dialledIsCheap } from "./dialled.ts";
import { agentKilledAndHeld, agentKilledAndMissed, killedAndHeld, killedAndMissed } from "./killed-relays.ts";
import type { Scenario } from "./scenario.ts";
import { assertShares } from "./shares.ts";

/** Whoever has started it may not have looked at its end yet. */
function isRunning(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "latin1") !== "";
  } catch {
    return false;
  }
}

const heldSocket = ({ runFolder, node }: ApplierPlace): string => join(runFolder, `${node}.held`);

/** Ids of the processes that hold what the node's relay has. */
function holdersOf(place: ApplierPlace): string[] {
  return readdirSync("/proc").filter((id) => {
    if (!/^\d+$/.test(id)) return false;
    try {
      const [program = "", path] = readFileSync(`/proc/${id}/cmdline`, "latin1").split("\0");
      return program.endsWith("/descriptor-holder") && path === heldSocket(place);
    } catch {
      return false; // it has ended
    }
  });
}

export const relayScenarios: readonly Scenario[] = [
  {
    name: "weights hold for the requests of one connection, and getpeername shows what it dialled",
    async run(reviews, family) {
      await reviews.httpRoutes({ route: [to("v1", 80), to("v3", 20)] });
      await conversing(reviews, family, async (talk, { host, port }) => {
        await talk.askTimes(reviews.scale.connections);
        assertShares(talk.outcomes, { v1: 0.8, v3: 0.2 });
        assert.equal(talk.ports.size, 1);
        assert.deepEqual([...talk.peers], [formatEndpoint(parseAddress(host) ?? new Uint8Array(), port)]);
      });
    },
  },
  {
    name: "a header decides, and what no route matches is answered with 404",
    async run(reviews, family) {
      await reviews.httpRoutes(
        { match: [{ headers: { "end-user": { exact: "jason" } } }], ...allTo("v2") },
        { match: [{ uri: { prefix: "/v3" } }], ...allTo("v3") },
      );
      await conversing(reviews, family, async (talk) => {
        assert.equal(await talk.ask({ headers: { "End-User": "jason" } }), "v2");
        assert.equal(await talk.ask({ path: "/v3/x" }), "v3");
        assert.equal(await talk.ask(), "404");
        assert.equal(await talk.ask({ headers: { "End-User": "jason" } }), "v2");
        assert.equal(talk.ports.size, 1);
      });
    },
  },
  {
    name: "a change of the rule moves the next request of an open connection, also when all rules go",
    async run(reviews, family) {
      const other = { match: [{ uri: { prefix: "/other" } }], ...allTo("v1") };
      await reviews.httpRoutes(other, allTo("v2"));
      await conversing(reviews, family, async (talk) => {
        for (const version of ["v1", "v3", "v2"]) {
          await reviews.httpRoutes(other, allTo(version));
          assert.equal(await talk.ask(), version);
        }
        assert.equal(talk.ports.size, 1);
        // One more answer on it, and the next connection goes past the relay.
        await reviews.withoutRules();
        for (let i = 0; i < 10; i++) assert.match(await talk.ask(), /^v[123]$/);
        assert.equal(talk.ports.size, 2);
      });
    },
  },
  {
    name: "a caller that dials an IPv4-mapped address gets its requests decided, too",
    over: ["IPv4"],
    async run(reviews, family) {
      await reviews.httpRoutes({ route: [to("v1", 50), to("v2", 50)] });
      await conversing(reviews, family, async (talk, { host }) => {
        for (let i = 0; i < 40; i++) await talk.ask({ host: `::ffff:${host}` });
        assertShares(talk.outcomes, { v1: 0.5, v2: 0.5 });
        assert.equal(talk.ports.size, 1);
      });
    },
  },
  {
    name: "connections from one port of two addresses are told from each other, also if the relay accepts them late",
    async run(reviews, family) {
      await reviews.httpRoutes({ route: [to("v1", 50), to("v2", 50)] });
      const { host, port } = reviews.target(family);
      const { caller } = reviews;
      const own = family === "IPv4" ? ["127.0.0.1", caller.ipv4] : ["::1", caller.ipv6];
      const pid = await relayPid(reviews);
      process.kill(pid, "SIGSTOP");
      try {
        // Below the ports that the kernel gives to callers.
        const task = [host, String(port), "20001", ...own];
        const pair = await caller.startServer(process.execPath, programPath("same-port-pair.ts"), ...task);
        process.kill(pid, "SIGCONT");
        const { stdin, stdout } = pair.child;
        assert.ok(stdin !== null && stdout !== null);
        const line = once(createInterface({ input: stdout }), "line");
        stdin.write("\n");
        assert.deepEqual(JSON.parse(String(await line)), ["HTTP/1.1 200 OK", "HTTP/1.1 200 OK"]);
      } finally {
        process.kill(pid, "SIGCONT");
      }
    },
  },
  {
    name: "requests are counted by who answered and how, and connections at the relay",
    async run(reviews, family) {
      await reviews.httpRoutes({ match: [{ uri: { prefix: "/ok" } }], ...allTo("v1") });
      const counted = async (): Promise<Record<string, bigint>> => {
        const edges = (await reviews.edges()).filter(({ source }) => source === "default/caller");
        const byStatus = edges.flatMap(({ workload, requests }) =>
          Object.entries(requests).map(([status, times]) => [`${workload} ${status}xx`, times] as const),
        );
        const connections = edges.reduce((sum, edge) => sum + edge.connections, 0n);
        return { connections, ...Object.fromEntries(byStatus) };
      };
      const before = await counted();
      await conversing(reviews, family, async (talk) => {
        for (let i = 0; i < 20; i++) await talk.ask({ path: "/ok" });
        for (let i = 0; i < 5; i++) await talk.ask({ path: "/no" });
      });
      const grown = async (): Promise<Tally> =>
        Object.fromEntries(
          Object.entries(await counted())
            .map(([what, times]) => [what, Number(times - (before[what] ?? 0n))] as const)
            .filter(([, times]) => times > 0),
        );
      // An Envoy tells of a request some time after its answer.
      await reviews.until(async () => total(await grown()) >= 26);
      assert.deepEqual(await grown(), { connections: 1, "default/reviews-v1 2xx": 20, " 4xx": 5 });
    },
  },
  killedAndHeld,
  agentKilledAndHeld,
  {
    name: "an agent that is a pod itself: its relay's connections are left alone, though endpoints' addresses are services'",
    // What is looked at is the same for both families.
    over: ["IPv4"],
    async run(reviews, family) {
      const { world } = reviews;
      const { ipv4, ipv6 } = world.pod("reviews-v1");
      const cgroup = join(world.nodeCgroup(1), "kubepods", "podagent");
      await makeCgroup(cgroup);
      await world.applier().stop();
      await reviews.startApplier({ cgroup });
      const host = "own.example.com";
      await world.change((config) =>
        config.write("rules", [
          ownAddresses(host, [ipv4, ipv6], 8080),
          virtualService(host, [{ match: [{ uri: { prefix: "/ok" } }], route: [{ destination: { host } }] }]),
        ]),
      );
      await conversing(reviews, family, async (talk) => {
        const target = { host: ipv4, port: 8080 };
        assert.equal(await talk.ask({ ...target, path: "/ok" }), "v1");
        assert.equal(await talk.ask({ ...target, path: "/no" }), "404");
      });
      await world.change((config) => config.remove("rules"));
      await world.applier().stop();
      await reviews.startApplier();
      await removeCgroup(cgroup);
    },
  },
  {
    name: "a pod's network is entered when it comes and left when it goes; an uninstall leaves no relay, and nothing that held its connections",
    // As above.
    over: ["IPv4"],
    async run(reviews) {
      const { world } = reviews;
      const networks = async (): Promise<number> => (await world.applier().status()).relay?.networks ?? 0;
      const before = await networks();
      const [pod] = await world.addPods({ name: "guest", labels: { app: "guest" } });
      pod?.start("sleep", "infinity");
      await reviews.until(async () => (await networks()) === before + 1);
      await world.removePod("guest");
      await reviews.until(async () => (await networks()) === before);
      const relay = await relayPid(reviews);
      assert.equal(holdersOf(world.applier().place).length, reviews.relay === "builtin" ? 1 : 0);
      await uninstallRunning(world.applier());
      assert.equal(isRunning(relay), false);
      await reviews.until(() => Promise.resolve(holdersOf(world.applier().place).length === 0));
      assert.equal(existsSync(heldSocket(world.applier().place)), false);
      assert.equal(existsSync((await PinFolder.find(world.applier().node)).path), false);
      await world.applier().stop();
      await reviews.startApplier();
    },
  },
];

const ofEnvoys = new Map([
  [killedAndHeld, killedAndMissed],
  [agentKilledAndHeld, agentKilledAndMissed],
]);

/** The same for a relay that is an Envoy. */
export const envoyRelayScenarios: readonly Scenario[] = [
  ...relayScenarios.map((scenario) => ofEnvoys.get(scenario) ?? scenario),
  dialledIsCheap,
];
