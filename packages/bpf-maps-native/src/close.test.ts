import { expect } from "vitest";
import { BpfMap } from "./bpf-map.ts";
import { RingBuffer } from "./ring-buffer.ts";
import { kernelTest } from "./testing/kernel-test.ts";
import { makeCgroup, makeNamespace } from "./testing/places.ts";
import { collect, loadProgram, openProgram, u32 } from "./testing/programs.ts";

/** All calls must be refused with a TypeError that says what is closed. */
async function expectClosed(what: string, calls: (() => unknown)[]): Promise<void> {
  for (const call of calls) {
    const refused = new Promise((resolve) => {
      resolve(call());
    });
    await expect(refused, String(call)).rejects.toThrow(new TypeError(`${what} is closed`));
  }
}

kernelTest(
  "operation: close a map (BpfMap.close) - twice is once, and every operation is refused afterwards",
  async () => {
    using other = BpfMap.create({ type: "hash", name: "other", keySize: 4, valueSize: 4, maxEntries: 1 });
    using object = await loadProgram("basic");
    using program = object.program("count");
    const map = BpfMap.create({ type: "hash", name: "gone", keySize: 4, valueSize: 4, maxEntries: 1 });
    map.close();
    map.close();
    await expectClosed("map gone", [
      () => map.fd,
      () => map.layout(),
      () => map.lookup(u32(1)),
      () => map.update(u32(1), u32(1)),
      () => map.delete(u32(1)),
      () => map.lookupAndDelete(u32(1)),
      () => map.lookupPerCpu(u32(1)),
      () => map.setInner(u32(1), other),
      () => map.innerId(u32(1)),
      () => map.setProgram(u32(1), program),
      () => map.programId(u32(1)),
      () => map.deleteReference(u32(1)),
      () => map.setSocket(u32(1), 1),
      () => map.batchUpdate(u32(1), u32(1)),
      () => map.batchDelete(u32(1)),
      () => map.batchLookup(),
      () => collect(map.entries()),
      () => collect(map.keys()),
      () => map.push(u32(1)),
      () => map.pop(),
      () => map.peek(),
      () => map.freeze(),
      () => map.pin("/nowhere"),
      () => new RingBuffer(map, () => undefined),
      () =>
        BpfMap.create({
          type: "array_of_maps",
          name: "o",
          keySize: 4,
          valueSize: 4,
          maxEntries: 1,
          innerMap: map,
        }),
      () => program.attachSockmap(map, "sk_msg_verdict"),
    ]);
    expect(map.info.name).toBe("gone"); // what was asked for at the start stays known
  },
);

kernelTest(
  "operation: close objects and programs (BpfObject.close, BpfProgram.close) - as with maps",
  async () => {
    using cgroup = makeCgroup();
    using loaded = await loadProgram("basic");
    using stubs = loaded.map("stubs");
    const program = loaded.program("count");
    const object = await openProgram("basic");
    for (const owner of [program, program, object, object]) owner.close();
    await expectClosed("object basic.bpf.o", [
      () => object.load(),
      () => object.mapNames(),
      () => object.programNames(),
      () => object.map("services"),
      () => object.program("count"),
      () => object.mapLayout("services"),
      () => object.structLayout("request"),
      () => object.setReadOnlyData("answer", 1),
      () => object.configureMap("services", {}),
      () => object.configureProgram("count", {}),
    ]);
    await expectClosed("program count", [
      () => program.testRun(),
      () => program.pin("/nowhere"),
      () => program.attachCgroup(cgroup.path, "cgroup_inet4_connect"),
      () => program.attachSockmap(stubs, "sk_msg_verdict"),
      () => program.attachClsact("lo", "ingress"),
      () => stubs.setProgram(u32(0), program),
    ]);
  },
);

kernelTest(
  "closed links, attachments and readers refuse, and disposing them again does nothing",
  async () => {
    await using stack = new AsyncDisposableStack();
    const cgroup = stack.use(makeCgroup());
    const { path: netnsPath } = stack.use(makeNamespace());
    const object = stack.use(await openProgram("traffic"));
    object.configureProgram("forward", { autoload: false });
    await object.load();
    using program = object.program("redirect_connect");
    const link = stack.use(await program.attachCgroup(cgroup.path));
    const attachment = stack.use(
      await object.program("watch_packet").attachClsact("lo", "ingress", { netnsPath }),
    );
    using basic = await loadProgram("basic");
    const ring = stack.use(new RingBuffer(basic.map("events"), () => undefined));
    await attachment.detach();
    for (const owner of [link, link, attachment, attachment, ring, ring]) owner.close();
    await expectClosed(`link redirect_connect on ${cgroup.path}`, [
      () => link.info,
      () => link.update(program),
      () => link.detach(),
      () => link.pin("/nowhere"),
    ]);
    await expectClosed(`program watch_packet to clsact ingress of lo in ${netnsPath}`, [
      () => attachment.detach(),
    ]);
    await expectClosed("ring buffer events", [() => ring.ref(), () => ring.unref()]);
  },
);

kernelTest("work under way goes on when its map, program or object is closed", async () => {
  await using stack = new AsyncDisposableStack();
  const cgroup = stack.use(makeCgroup());
  const object = await openProgram("traffic");
  object.configureProgram("forward", { autoload: false });
  await object.load();
  const program = object.program("redirect_connect");
  const attaching = program.attachCgroup(cgroup.path);
  const counters = object.map("counters");
  const reading = counters.batchLookup();
  for (const owner of [program, object, counters]) owner.close();
  const link = stack.use(await attaching);
  expect(link.info.attachType).toBe("cgroup_inet4_connect");
  expect((await reading).count).toBe(6);
});
