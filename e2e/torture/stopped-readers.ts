import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { until } from "../world/until.ts";
import { program, type TortureWorld } from "./torture-world.ts";

export interface Held {
  /** Bytes that were sent to a reader that has stopped, and not read, for each. */
  readonly each: number;
  /** What they may be, see `mostHeld`. */
  readonly most: number;
}

/** The relay's own bound, see its README. */
const relayHolds = 256 * 1024;

/**
 * What one reader that has stopped may hold: the buffers of the server's socket, those of the relay's two, its own, each as
 * large as the kernel lets them grow, and what the relay keeps.
 */
async function mostHeld(): Promise<number> {
  const largest = async (file: string): Promise<number> =>
    Number((await readFile(`/proc/sys/net/ipv4/${file}`, "utf8")).trim().split(/\s+/)[2]);
  return 2 * ((await largest("tcp_rmem")) + (await largest("tcp_wmem"))) + relayHolds;
}

/** Readers stop behind the heads of large answers, until nothing moves any more; then they read on. */
export async function stoppedReaders(torture: TortureWorld, readers: number): Promise<Held> {
  const most = await mostHeld();
  const bytes = 2 * most;
  const [host = ""] = torture.hosts;
  const client = torture.world
    .pod("caller")
    .startPiped(program("stopped-reader"), String(readers), String(bytes), torture.port, host);
  if (client.child.stdout === null) throw new Error("the readers' output is no pipe");
  const lines = createInterface(client.child.stdout)[Symbol.asyncIterator]();
  const said = async (word: string): Promise<void> => {
    const { value } = await lines.next();
    if (value !== word)
      throw new Error(`the readers said "${value}", not "${word}":\n${await client.lastLines()}`);
  };
  const written = async (): Promise<number> =>
    (await torture.written("v1a")) + (await torture.written("v1b"));
  const before = await written();
  await said("stopped");
  let last = -1;
  const held = await until(
    async () => {
      const now = (await written()) - before;
      const stands = now === last;
      last = now;
      return stands && now > 0 ? now : undefined;
    },
    { what: "servers to be held up by readers that have stopped", everyMs: 500 },
  );
  client.child.stdin?.write("read on\n");
  await said("right");
  return { each: Math.round(held / readers), most };
}
