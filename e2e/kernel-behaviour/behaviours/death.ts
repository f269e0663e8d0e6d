import assert from "node:assert/strict";
import { until } from "../../world/until.ts";
import type { Behaviour, Observed } from "../behaviour.ts";
import { Bench, type Connection, type Placement, places } from "../bench.ts";
import type { Calls } from "../calls.ts";
import { flag, int, level, option, poll, type Socket } from "../sockets.ts";
import { action, setRule } from "./letters.ts";

/** How long we wait to believe that a peer learns nothing. */
const patienceMs = 200;

/** A caller, the relay and a server, each a process of its own; the relay holds one end of both connections. */
interface Cast {
  readonly caller: Calls;
  readonly relay: Calls;
  readonly server: Calls;
  /** Caller and relay. */
  readonly home: Connection;
  /** Relay and server. */
  readonly link: Connection;
}

async function assemble(bench: Bench): Promise<Cast> {
  const [caller, relay, server] = [await bench.another(), await bench.another(), await bench.another()];
  const listen = (options: Placement) => bench.listen({ passive: places.only, ...options });
  const homes = await listen({ active: places.speaks, by: relay });
  const links = await listen({ active: places.only, passive: places.speaks, by: server });
  // With it another socket may have the same port later.
  const prepare = (socket: Socket) => socket.setOption(level.socket, option.reuseAddress, int(1));
  const home = await bench.connect(homes, { by: caller, prepare });
  const link = await bench.connect(links, { by: relay });
  // Requests go into the server's queue, answers into the caller's.
  await setRule(bench, home, action.ingress, link.passive);
  await setRule(bench, { active: link.passive, passive: link.active }, action.ingress, home.active);
  return { caller, relay, server, home, link };
}

/** What a socket learns: nothing, the end, an error, or data. */
async function learns(socket: Socket): Promise<string> {
  const events = await socket.poll(poll.in | poll.readHangUp, patienceMs);
  if (events === 0) return "nothing";
  return (await socket.receive(100, flag.dontWait)) || "end";
}

type Scene = (cast: Cast) => Promise<Observed>;

/** By who dies, and when. */
const scenes: Readonly<Record<string, Scene>> = {
  "the server, idle": async ({ server, home, link }) => {
    await server.kill();
    return {
      "the relay's end of the link": await learns(link.active),
      "the caller": await learns(home.active),
    };
  },
  "the server, a request unread that came by TCP": async ({ server, link }) => {
    assert.equal(await link.active.send("request"), 7);
    await server.kill();
    return { "the relay's end of the link": await learns(link.active) };
  },
  "the server, a redirected request unread": async ({ server, home, link }) => {
    assert.equal(await home.active.send("request"), 7);
    await server.kill();
    return {
      "the relay's end of the link": await learns(link.active),
      "the caller": await learns(home.active),
      "the caller's next request": await home.active.send("request"),
    };
  },
  "the caller, its request unread": async ({ caller, home, link }) => {
    assert.equal(await home.active.send("request"), 7);
    await caller.kill();
    return {
      "the relay's end of its connection": await learns(home.passive),
      "the server": await learns(link.passive),
      "the server, then": await learns(link.passive),
      "the server's answer": await link.passive.send("answer"),
    };
  },
  "the caller, an answer unread that came by TCP": async ({ caller, home }) => {
    assert.equal(await home.passive.send("answer"), 6);
    await caller.kill();
    return { "the relay's end of its connection": await learns(home.passive) };
  },
  "the caller, a redirected answer unread": async ({ caller, home, link }) => {
    assert.equal(await link.passive.send("answer"), 6);
    await caller.kill();
    return {
      "the relay's end of its connection": await learns(home.passive),
      "the server": await learns(link.passive),
    };
  },
  "the relay, a request with the server": async ({ relay, home, link }) => {
    assert.equal(await home.active.send("request"), 7);
    await relay.kill();
    const asked = await learns(link.passive);
    return {
      "the caller": await learns(home.active),
      "the server": asked,
      "the server, then": await learns(link.passive),
      "the server's answer": await link.passive.send("answer"),
      "the caller, then": await learns(home.active),
    };
  },
};

/** The next owner of a dead caller's port gets nothing of what was meant for the dead one. */
async function reusedPort(bench: Bench): Promise<Observed> {
  const { caller, relay, home, link } = await assemble(bench);
  const port = await home.active.port();
  const cookie = await home.active.cookie();
  assert.equal(await home.active.send("request"), 7);
  await caller.kill();
  await home.passive.close();
  const homes = await bench.listen({ active: places.speaks, passive: places.only, by: relay });
  const next = await bench.connect(homes, {
    prepare: async (socket) => {
      await socket.setOption(level.socket, option.reuseAddress, int(1));
      const bound = async (): Promise<boolean> => socket.bind("127.0.0.1", port).then(() => true);
      await until(bound, { what: "the port to be free again" });
    },
  });
  assert.notEqual(await next.active.cookie(), cookie);
  const answered = await link.passive.send("answer");
  // What the design stands on.
  assert.equal(await learns(next.active), "nothing");
  return { "the answer to a dead caller whose port has another owner": answered };
}

export const death: Behaviour = {
  name: "death",
  claim:
    "Who dies is noticed on their own TCP connections only: the caller does not learn that the server has died, nor the " +
    "server that the caller has. A cookie has one owner: what was meant for a dead socket reaches nobody else.",
  async observe(): Promise<Observed> {
    await using bench = await Bench.open("letters");
    const observed: Observed = {};
    for (const [who, scene] of Object.entries(scenes))
      for (const [what, value] of Object.entries(await scene(await assemble(bench))))
        observed[`${who}: ${what}`] = value;
    return { ...observed, ...(await reusedPort(bench)) };
  },
};
