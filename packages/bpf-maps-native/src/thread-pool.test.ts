import { closeSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import { expect } from "vitest";
import { BpfMap } from "./bpf-map.ts";
import { BpfObject } from "./bpf-object.ts";
import { cgroupPrograms } from "./kernel.ts";
import { connectInNamespace, datagramInNamespace, listenInNamespace } from "./namespace-sockets.ts";
import { kernelTest } from "./testing/kernel-test.ts";
import { makeCgroup, makeNamespace } from "./testing/places.ts";
import { compileProgram, loadProgram, openProgram, u32 } from "./testing/programs.ts";
import { holdThreadPool } from "./testing/thread-pool.ts";

type Works = Record<string, () => Promise<unknown>>;

/**
 * Starts all works while libuv's pool is held. None may come to its end before the pool is free, although the
 * loop turns: what works on the loop itself would. `before` looks at what they must not have done yet.
 */
async function expectInPool(works: Works, before: () => void): Promise<void> {
  const settled: string[] = [];
  const pool = await holdThreadPool();
  const running = Object.entries(works).map(async ([name, work]) => {
    try {
      return await work();
    } finally {
      settled.push(name);
    }
  });
  try {
    for (let turn = 0; turn < 50; turn++) await setImmediate();
    expect(settled).toEqual([]);
    before();
  } finally {
    await pool[Symbol.asyncDispose]();
    await Promise.all(running);
  }
  expect(settled.toSorted()).toEqual(Object.keys(works).toSorted());
}

kernelTest("open, load and attach wait for a thread of the pool: none runs on the event loop", async () => {
  await using stack = new AsyncDisposableStack();
  const { path: netnsPath } = stack.use(makeNamespace());
  const cgroup = stack.use(makeCgroup());
  const updated = stack.use(makeCgroup());
  const object = stack.use(await openProgram("traffic"));
  object.configureProgram("forward", { autoload: false });
  await object.load();
  const redirect = stack.use(object.program("redirect_connect"));
  const refuse = stack.use(object.program("refuse_connect"));
  const messages = stack.use(object.program("steer_message"));
  const packets = stack.use(object.program("watch_packet"));
  const link = stack.use(await redirect.attachCgroup(updated.path));
  const filter = stack.use(await packets.attachClsact("lo", "egress", { netnsPath }));
  const opened = stack.use(await openProgram("basic"));
  const type = "cgroup_inet4_connect";
  await expectInPool(
    {
      open: async () => stack.use(await BpfObject.open(compileProgram("basic"))),
      load: () => opened.load(),
      attachCgroup: async () => stack.use(await redirect.attachCgroup(cgroup.path)),
      attachSockmap: async () => stack.use(await messages.attachSockmap(object.map("sockets"))),
      attachClsact: async () => stack.use(await packets.attachClsact("lo", "ingress", { netnsPath })),
      "link update": () => link.update(refuse),
      detach: () => filter.detach(),
      testRun: () => packets.testRun({ data: new Uint8Array(64) }),
    },
    () => {
      expect(cgroupPrograms(cgroup.path, type)).toEqual([]);
      expect(cgroupPrograms(updated.path, type)).toEqual([redirect.info.id]);
    },
  );
  expect(cgroupPrograms(cgroup.path, type)).toEqual([redirect.info.id]);
  expect(cgroupPrograms(updated.path, type)).toEqual([refuse.info.id]);
});

kernelTest("batches, walks and references wait for a thread of the pool", async () => {
  using object = await loadProgram("basic");
  using program = object.program("tail_target");
  using stubs = object.map("stubs");
  using versions = object.map("versions");
  const inner = { keySize: 4, valueSize: 4, maxEntries: 16 };
  using filled = BpfMap.create({ type: "hash", name: "filled", ...inner });
  using empty = BpfMap.create({ type: "hash", name: "empty", ...inner });
  filled.update(u32(1), u32(1));
  await stubs.setProgram(u32(1), program);
  await expectInPool(
    {
      batchUpdate: () => empty.batchUpdate(u32(1, 2), u32(1, 2)),
      batchLookup: () => filled.batchLookup(),
      batchDelete: () => filled.batchDelete(u32(1)),
      entries: () => filled.entries().next(),
      keys: () => filled.keys().next(),
      setInner: () => versions.setInner(u32(0), filled),
      setProgram: () => stubs.setProgram(u32(0), program),
      deleteReference: () => stubs.deleteReference(u32(1)),
    },
    () => {
      expect([empty.lookup(u32(1)), versions.innerId(u32(0))]).toEqual([undefined, undefined]);
      expect([filled.lookup(u32(1)), stubs.programId(u32(1))]).toEqual([u32(1), program.info.id]);
    },
  );
  expect([empty.lookup(u32(2)), filled.lookup(u32(1))]).toEqual([u32(2), undefined]);
});

kernelTest("sockets in another namespace are made by a thread of the pool", async () => {
  using space = makeNamespace();
  const address = "127.0.0.1";
  const works = {
    listen: async () => {
      closeSync(await listenInNamespace(space.path, { address, port: 0 }));
    },
    datagram: async () => {
      closeSync(await datagramInNamespace(space.path, { address, port: 0 }));
    },
    connect: async () => {
      await expect(connectInNamespace(space.path, { address, port: 9 })).rejects.toThrow("ECONNREFUSED");
    },
  };
  await expectInPool(works, () => undefined);
});
