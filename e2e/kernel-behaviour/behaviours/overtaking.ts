import assert from "node:assert/strict";
import { until } from "../../world/until.ts";
import type { Behaviour, Observed } from "../behaviour.ts";
import { Bench, type Connection, type Listener, places } from "../bench.ts";
import { bytes, room } from "../calls.ts";
import { int, level, option, type Socket } from "../sockets.ts";
import { action, setRule } from "./letters.ts";
import { answersUnderWay, sendPairs, way } from "./pairs.ts";
import { streamPosition } from "./stream-position.ts";

/** A reader and the relay's end of its connection, and a link whose server answers. */
interface Route {
  readonly caller: Connection;
  readonly link: Connection;
}

/** How an answer gets from the link to the reader, and when the relay ends the reader's connection. */
interface Way {
  /** By sk_skb from the link, or by sk_msg in the server's own send. */
  readonly by: "sk_skb" | "sk_msg";
  /** Into the reader's queue, or out of the relay's end of its connection. */
  readonly to: "queue" | "home";
  /** The relay waits until its end has sent what was promised. */
  readonly patient: boolean;
}

class Routes {
  readonly #bench: Bench;
  readonly #homes: Listener;
  readonly #links: Record<Way["by"], Listener>;

  private constructor(bench: Bench, homes: Listener, links: Record<Way["by"], Listener>) {
    this.#bench = bench;
    this.#homes = homes;
    this.#links = links;
  }

  static async open(bench: Bench): Promise<Routes> {
    const homes = await bench.listen({ active: places.only, passive: places.only, receiveBuffer: 16_384 });
    return new Routes(bench, homes, {
      sk_skb: await bench.listen({ active: places.hears }),
      sk_msg: await bench.listen({ active: places.only, passive: places.speaks }),
    });
  }

  async next({ by, to }: Way): Promise<Route> {
    const caller = await this.#bench.connect(this.#homes, {
      prepare: (socket) => socket.setOption(level.socket, option.receiveBuffer, int(16_384)),
    });
    const link = await this.#bench.connect(this.#links[by]);
    const then = to === "queue" ? action.ingress : action.egress;
    const target = to === "queue" ? caller.active : caller.passive;
    await setRule(this.#bench, by === "sk_skb" ? link : reversed(link), then, target);
    return { caller, link };
  }
}

/** The rule is for the end that was accepted. */
const reversed = ({ active, passive }: Connection): Connection => ({ active: passive, passive: active });

/** An answer of `size` bytes, then the server closes; the relay sends `tail` and closes when it sees that. What was read. */
async function answerAndClose(routes: Routes, kind: Way, size: number, tail = ""): Promise<Buffer> {
  const { caller, link } = await routes.next(kind);
  const { calls } = link.active;
  const begin = await streamPosition(caller.passive);
  const end = ["recvfrom", link.active.fd, room(1), 1, 0, 0, 0] as const;
  const finish = [
    ["sendto", caller.passive.fd, bytes(tail), tail.length, 0, 0, 0],
    ["shutdown", caller.passive.fd, 1],
  ] as const;
  const waiting = async (): Promise<void> => {
    await calls.sequence(end);
    const sent = async (): Promise<boolean> => (await streamPosition(caller.passive)) - begin >= size;
    await until(sent, { what: "the relay's end to have sent what was promised", everyMs: 1 });
    await calls.sequence(...finish);
  };
  const relaying = kind.patient ? waiting() : calls.sequence(end, ...finish);
  const serving = serve(link.passive, size);
  const [arrived] = await Promise.all([readToEnd(caller.active), relaying, serving]);
  for (const socket of [caller.active, caller.passive, link.active]) await socket.close();
  return arrived;
}

async function serve(server: Socket, size: number): Promise<void> {
  assert.equal(await server.send(Buffer.alloc(size, "a")), size);
  await server.close();
}

/** All until the connection ends, and behind it the error if it ends by one. */
async function readToEnd(reader: Socket): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for (;;) {
    const piece = await reader.receive(65_536);
    pieces.push(Buffer.from(piece, "latin1"));
    if (piece === "" || piece.startsWith("E")) return Buffer.concat(pieces);
  }
}

/** Many answers of one size: how many did not arrive whole, and by what errors readers learned that, if by any. */
async function truncated(routes: Routes, kind: Way, size: number, count: number): Promise<string> {
  const whole = Buffer.alloc(size, "a");
  const errors = new Set<string>();
  let wrong = 0;
  for (let i = 0; i < count; i += 1) {
    const arrived = await answerAndClose(routes, kind, size);
    if (arrived.equals(whole)) continue;
    wrong += 1;
    const error = /E[A-Z]+$/.exec(arrived.toString("latin1"))?.[0];
    if (error !== undefined) errors.add(error);
  }
  return [`${wrong} of ${count} cut`, ...errors].join(", ");
}

const long = 400_000;

export const overtaking: Behaviour = {
  name: "overtaking",
  claim:
    "FIN and relay bytes may overtake an answer in the backlog of sk_skb, and an answer on its way into a queue is not seen " +
    "by the next request's verdict. An answer that leaves on the caller's own connection, after its bytes were promised, " +
    "is overtaken by nothing.",
  async observe(size, tell): Promise<Observed> {
    const observed: Observed = {};
    {
      await using bench = await Bench.open("letters");
      const routes = await Routes.open(bench);
      const hasty = (to: Way["to"]): Way => ({ by: "sk_skb", to, patient: false });
      // How much is overtaken depends on when the kernel's worker gets to run, so it is only told.
      const arrived = await answerAndClose(routes, hasty("queue"), long, "tail");
      tell(`sk_skb into the queue: the tail was at ${arrived.indexOf("tail")} of ${arrived.length}`);
      const count = size === "short" ? 5 : 500;
      for (const to of ["queue", "home"] as const)
        tell(`sk_skb to ${to}, 200 bytes, then FIN: ${await truncated(routes, hasty(to), 200, count)}`);
      // What the design stands on.
      for (const by of ["sk_skb", "sk_msg"] as const)
        for (const bodySize of [200, long]) {
          const often = bodySize === long ? Math.ceil(count / 20) : count;
          const kind: Way = { by, to: "home", patient: true };
          assert.equal(
            await truncated(routes, kind, bodySize, often),
            `0 of ${often} cut`,
            `${by}, ${bodySize} bytes`,
          );
        }
      observed["on the caller's own connection, the relay waits for what was promised: all arrive whole"] =
        true;
    }
    observed["into the queue: a request is taken while the answer before it is under way"] =
      await answersUnderWay(way.queue);
    assert.equal(await answersUnderWay(way.home), false);
    observed["on the caller's own connection: a request is taken while the answer before it is under way"] =
      false;
    const pairs = size === "short" ? 50 : 5_000;
    for (const [name, kind] of Object.entries(way)) {
      const { taken, swapped, lost } = await sendPairs(kind, pairs);
      tell(`${pairs} pairs by ${name}: second taken ${taken + swapped}, swapped ${swapped}, lost ${lost}`);
      assert.equal(lost, 0);
      if (kind === way.home) assert.equal(swapped, 0);
    }
    return observed;
  },
};
