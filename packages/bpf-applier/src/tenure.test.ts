import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { afterEach, beforeEach, expect, test } from "vitest";
import { adminPaths, isAlive } from "./admin.ts";
import { askAgent } from "./admin-client.ts";
import { IdleNode } from "./idle-node.ts";
import type { NodeAgent } from "./node-agent.ts";
import { Tenure, type TenureOptions } from "./tenure.ts";

let folder: string;
let socket: string;
let stack: AsyncDisposableStack;
/** What was done with agents, in order. */
let done: string[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "keelson-tenure-"));
  socket = join(folder, "node.sock");
  stack = new AsyncDisposableStack();
  done = [];
});
afterEach(async () => {
  await stack.disposeAsync();
  rmSync(folder, { recursive: true });
});

/** An agent that does nothing to a node but say what is asked of it. */
class StandInAgent extends IdleNode {
  private readonly name: string;

  constructor(name: string) {
    super({ ...idleParts, idleBecause: name });
    this.name = name;
    done.push(`${name} starts`);
  }

  override async close(): Promise<void> {
    done.push(`${this.name} ends`);
  }

  override async giveUp(): Promise<void> {
    done.push(`${this.name} is given up`);
  }
}

const logger = pino({ level: "silent" });
const idleParts = { node: "one", controlPlane: undefined, credentials: undefined as never, logger };

interface Process {
  readonly tenure: Tenure;
  /** As if it were killed: nobody answers at its socket any more. */
  readonly crash: () => Promise<void>;
}

function processOf(name: string, more: Partial<TenureOptions> = {}): Process {
  const tenure = new Tenure({
    node: "one",
    socket,
    takeOver: true,
    lookMs: 100,
    start: (): Promise<NodeAgent> => Promise.resolve(new StandInAgent(name)),
    idle: (why) => new IdleNode({ ...idleParts, idleBecause: why }),
    logger,
    ...more,
  });
  const crash = (): Promise<void> => tenure.end();
  stack.defer(crash);
  return { tenure, crash };
}

const served = async (): Promise<unknown> =>
  ((await askAgent(socket, adminPaths.status)) as { idleBecause?: string } | undefined)?.idleBecause;

test("one that is asked for the node has left it before the other one begins, and serves it again if that is gone", async () => {
  const [old, next] = [processOf("old"), processOf("next")];
  await old.tenure.begin();
  expect(await served()).toBe("old");
  await next.tenure.begin();
  expect(await served()).toBe("next");
  expect(done).toEqual(["old starts", "old is given up", "next starts"]);
  await next.crash();
  await expect.poll(served).toBe("old");
  expect(done.slice(3)).toEqual(["next ends", "old starts"]);
});

test("one that stands by and is asked to end does, and leaves the other one's socket alone", async () => {
  const [old, next] = [processOf("old"), processOf("next")];
  await old.tenure.begin();
  await next.tenure.begin();
  await old.tenure.end();
  expect(await served()).toBe("next");
  await next.tenure.end();
  expect(await isAlive(socket)).toBe(false);
  expect(done.at(-1)).toBe("next ends");
});

test("two that ask at once have it one after the other", async () => {
  await processOf("old").tenure.begin();
  const others = ["a", "b"].map((name) => processOf(name).tenure.begin());
  const outcomes = await Promise.allSettled(others);
  expect(outcomes.filter(({ status }) => status === "fulfilled").length).toBeGreaterThan(0);
  expect(done.filter((what) => what === "old is given up")).toHaveLength(1);
  expect(await served()).toMatch(/^[ab]$/);
});

test("one that starts is waited for", async () => {
  const starts = Promise.withResolvers<NodeAgent>();
  const [old, next] = [processOf("old", { start: () => starts.promise }), processOf("next")];
  const begun = [old.tenure.begin()];
  await expect.poll(() => isAlive(socket)).toBe(true);
  begun.push(next.tenure.begin());
  starts.resolve(new StandInAgent("old"));
  await Promise.all(begun);
  expect(done).toEqual(["old starts", "old is given up", "next starts"]);
});

test("one that is asked to end while it starts has the node until it has started and ended", async () => {
  const starts = Promise.withResolvers<NodeAgent>();
  const { tenure } = processOf("slow", { start: () => starts.promise });
  const begun = tenure.begin();
  await expect.poll(() => isAlive(socket)).toBe(true);
  const ended = tenure.end().then(() => done.push("all has ended"));
  await expect(processOf("next", { takeOver: false }).tenure.begin()).rejects.toThrow("another bpf-applier");
  starts.resolve(new StandInAgent("slow"));
  await Promise.all([begun, ended]);
  expect(done).toEqual(["slow starts", "slow ends", "all has ended"]);
  expect(await isAlive(socket)).toBe(false);
});

test("one that cannot start, and is asked to end meanwhile, ends, and says why it could not", async () => {
  const starts = Promise.withResolvers<NodeAgent>();
  const { tenure } = processOf("slow", { start: () => starts.promise });
  const begun = tenure.begin();
  await expect.poll(() => isAlive(socket)).toBe(true);
  const ended = tenure.end();
  starts.reject(new Error("no memory"));
  await expect(begun).rejects.toThrow("no memory");
  await ended;
  expect(await isAlive(socket)).toBe(false);
});

test("one that waits for another one to start, and is asked to end, does", async () => {
  const starts = Promise.withResolvers<NodeAgent>();
  const old = processOf("old", { start: () => starts.promise }).tenure.begin();
  await expect.poll(() => isAlive(socket)).toBe(true);
  const next = processOf("next");
  const begun = next.tenure.begin();
  await next.tenure.end();
  await begun;
  starts.resolve(new StandInAgent("old"));
  await old;
  expect(done).toEqual(["old starts"]);
});

test("what it has while it serves the node is given up after its agent has ended, and taken again", async () => {
  const holding = (name: string, failing = false): Partial<TenureOptions> => ({
    start: async (held) => {
      held.defer(() => done.push(`${name} lets go`));
      if (failing) throw new Error("no memory");
      return new StandInAgent(name);
    },
  });
  const [old, next] = [processOf("old", holding("old")), processOf("next", holding("next"))];
  await old.tenure.begin();
  await next.tenure.begin();
  expect(done).toEqual(["old starts", "old is given up", "old lets go", "next starts"]);
  await next.crash();
  await expect.poll(served).toBe("old");
  await askAgent(socket, adminPaths.uninstall, "POST");
  expect(done.slice(4)).toEqual(["next ends", "next lets go", "old starts", "old ends", "old lets go"]);
  await old.tenure.end();
  await expect(processOf("bad", holding("bad", true)).tenure.begin()).rejects.toThrow("no memory");
  expect(done.slice(9)).toEqual(["bad lets go"]);
});

test("without the flag, a node that is served is an error", async () => {
  await processOf("old").tenure.begin();
  await expect(processOf("next", { takeOver: false }).tenure.begin()).rejects.toThrow(
    `another bpf-applier serves this node (${socket} answers)`,
  );
  expect(await served()).toBe("old");
});
