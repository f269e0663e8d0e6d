import { closeSync, readdirSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect } from "vitest";
import { BpfMap } from "./bpf-map.ts";
import { connectInNamespace, datagramInNamespace, listenInNamespace } from "./namespace-sockets.ts";
import { RingBuffer } from "./ring-buffer.ts";
import { kernelTest } from "./testing/kernel-test.ts";
import { makeCgroup, makeNamespace } from "./testing/places.ts";
import { compileProgram, loadProgram, openProgram, u32 } from "./testing/programs.ts";

function descriptors(): number {
  return readdirSync("/proc/self/fd").length;
}

/** Open descriptors after libuv's part is done, but without any garbage collected. */
async function openDescriptors(): Promise<number> {
  for (let turn = 0; turn < 3; turn++) await setImmediate();
  return descriptors();
}

/** Collects garbage, with the finalizers, which run in a turn of the loop. */
async function collectGarbage(): Promise<void> {
  setFlagsFromString("--expose-gc");
  const collect: unknown = runInNewContext("gc");
  if (typeof collect !== "function") throw new Error("no gc");
  for (let i = 0; i < 3; i++) {
    Reflect.apply(collect, undefined, []);
    await setImmediate();
  }
}

/** One life of what owns descriptors; the id of a map that must not outlive it. */
async function live(): Promise<number> {
  await using stack = new AsyncDisposableStack();
  const object = stack.use(await loadProgram("basic"));
  const services = stack.use(object.map("services"));
  const program = stack.use(object.program("count"));
  const events = stack.use(object.map("events"));
  stack.use(new RingBuffer(events, () => undefined));
  await program.testRun({ data: new Uint8Array(64) });
  await services.batchUpdate(new Uint8Array(24), new Uint8Array(96));
  await services.batchLookup();
  for await (const entry of services.entries()) if (entry) break; // a walk that is given up
  return services.info.id;
}

function openable(id: number): boolean {
  try {
    BpfMap.openById(id).close();
    return true;
  } catch {
    return false;
  }
}

kernelTest(
  "opening, loading and closing 100 times leaves no descriptor, no map and no memory",
  async () => {
    compileProgram("basic");
    for (let i = 0; i < 30; i++) await live();
    await collectGarbage();
    const before = { descriptors: await openDescriptors(), memory: process.memoryUsage.rss() };
    let id = 0;
    for (let i = 0; i < 100; i++) id = await live();
    expect(await openDescriptors()).toBe(before.descriptors);
    await collectGarbage();
    expect(process.memoryUsage.rss() - before.memory).toBeLessThan(8 * 2 ** 20);
    // Programs and maps are freed by the kernel in its own time, after RCU.
    await expect.poll(() => openable(id), { timeout: 10_000 }).toBe(false);
  },
  120_000,
);

kernelTest("attachments, links and sockets leave no descriptor", async () => {
  await using stack = new AsyncDisposableStack();
  const cgroup = stack.use(makeCgroup());
  const { path } = stack.use(makeNamespace());
  const object = stack.use(await openProgram("traffic"));
  object.configureProgram("forward", { autoload: false });
  await object.load();
  const connect = stack.use(object.program("redirect_connect"));
  const message = stack.use(object.program("steer_message"));
  const packet = stack.use(object.program("watch_packet"));
  const address = { address: "127.0.0.1", port: 0 };
  const attachAll = async () => {
    await using all = new AsyncDisposableStack();
    const link = all.use(await connect.attachCgroup(cgroup.path));
    await link.update(connect);
    all.use(await message.attachSockmap(all.use(object.map("sockets"))));
    all.use(await packet.attachClsact("lo", "ingress", { netnsPath: path }));
    closeSync(await listenInNamespace(path, address));
    closeSync(await datagramInNamespace(path, address));
    await expect(connectInNamespace(path, { ...address, port: 9 })).rejects.toThrow("ECONNREFUSED");
  };
  await attachAll();
  const before = await openDescriptors();
  for (let i = 0; i < 20; i++) await attachAll();
  expect(await openDescriptors()).toBe(before);
});

kernelTest("failing opens, loads and attachments leave no descriptor", async () => {
  using basic = await loadProgram("basic");
  using program = basic.program("count");
  const fail = async () => {
    using object = await openProgram("broken");
    await expect(object.load()).rejects.toThrow("EACCES");
    await expect(program.attachCgroup("/proc", "cgroup_inet4_connect")).rejects.toThrow(/EBADF|EINVAL/);
    await expect(program.attachClsact("none0", "ingress")).rejects.toThrow("ENODEV");
    await expect(listenInNamespace("/proc/self/comm", { address: "::1", port: 0 })).rejects.toThrow("EINVAL");
  };
  await fail();
  const before = await openDescriptors();
  for (let i = 0; i < 20; i++) await fail();
  expect(await openDescriptors()).toBe(before);
});

kernelTest("a handle that was forgotten is given up by the garbage collector", async () => {
  await collectGarbage();
  const before = descriptors();
  for (let i = 0; i < 20; i++) {
    BpfMap.create({ type: "array", name: "forgotten", keySize: 4, valueSize: 4, maxEntries: 1 }).lookup(
      u32(0),
    );
  }
  expect(descriptors()).toBe(before + 20);
  // Which of them a conservative look at the stack still sees is V8's matter.
  await collectGarbage();
  expect(descriptors()).toBeLessThan(before + 20);
});
