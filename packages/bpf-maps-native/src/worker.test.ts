import { once } from "node:events";
import { readdirSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { expect } from "vitest";
import { kernelTest } from "./testing/kernel-test.ts";
import { makeNamespace } from "./testing/places.ts";
import { startNode } from "./testing/processes.ts";
import { compileProgram, openProgram } from "./testing/programs.ts";

const script = new URL("testing/worker.ts", import.meta.url);

/** The parameters of worker.ts: it will wait for a connection that nobody answers. */
async function parameters(stack: AsyncDisposableStack): Promise<[file: string, netnsPath: string]> {
  const { path } = stack.use(makeNamespace());
  const object = stack.use(await openProgram("traffic"));
  object.setReadOnlyData("watched_port", 9);
  object.configureProgram("forward", { autoload: false });
  await object.load();
  using program = object.program("watch_packet");
  stack.use(await program.attachClsact("lo", "ingress", { netnsPath: path }));
  return [compileProgram("basic"), path];
}

kernelTest(
  "worker threads use the addon side by side, and end with work under way, leaving no descriptor",
  async () => {
    await using stack = new AsyncDisposableStack();
    const workerData = await parameters(stack);
    const run = async () => {
      const workers = [1, 2, 3].map(() => new Worker(script, { workerData }));
      await Promise.all(workers.map((worker) => once(worker, "message")));
      await Promise.all(workers.map((worker) => worker.terminate()));
    };
    await run(); // what the process opens once
    const before = readdirSync("/proc/self/fd").length;
    for (let round = 0; round < 2; round++) await run();
    for (let turn = 0; turn < 10; turn++) await setImmediate();
    expect(readdirSync("/proc/self/fd").length).toBeLessThanOrEqual(before);
  },
  120_000,
);

kernelTest("a process that ends with everything open and under way ends as it said", async () => {
  await using stack = new AsyncDisposableStack();
  await using process = startNode(fileURLToPath(script), ...(await parameters(stack)));
  expect(await process.end()).toBe(7);
});
