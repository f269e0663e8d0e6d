import { expect } from "vitest";
import { Attachment } from "./attachment.ts";
import { BpfLink } from "./bpf-link.ts";
import { BpfProgram } from "./bpf-program.ts";
import { cgroupAttachments, cgroupPrograms, effectiveCgroupPrograms, programIds } from "./kernel.ts";
import { kernelTest } from "./testing/kernel-test.ts";
import { serveInNamespace } from "./testing/network.ts";
import { makeCgroup, makeNamespace, makePinFolder } from "./testing/places.ts";
import { startInside } from "./testing/processes.ts";
import { collect, counter, loadProgram, loadTraffic, numbers, openProgram } from "./testing/programs.ts";

const targetPort = 7070;
const type = "cgroup_inet4_connect";
const connects = 0;
const established = 1;

/** Prints what a server says, or the error's code. */
const dial = `import net from "node:net";
const socket = net.connect(Number(process.argv[1]), "127.0.0.1");
socket.on("data", (data) => { console.log(String(data)); socket.destroy(); });
socket.on("error", (error) => console.log(error.code));`;

/** A greeting server in a new namespace, and a new cgroup to dial from. */
async function makeStage(stack: AsyncDisposableStack) {
  const space = stack.use(makeNamespace());
  const cgroup = stack.use(makeCgroup());
  await serveInNamespace(stack, space.path, { port: targetPort }, (socket) => socket.end("hello"));
  const call = async (port: number) => {
    const caller = startInside({ cgroup: cgroup.path, netns: space.name }, dial, String(port));
    const answer = await caller.readLine();
    expect(await caller.end()).toBe(0);
    return answer;
  };
  return { cgroup: cgroup.path, netns: space.name, call };
}

kernelTest(
  "operation: attach to a cgroup (BpfProgram.attachCgroup, BpfLink.info, BpfLink.close, cgroupPrograms) - " +
    "connect4 sends calls elsewhere, until the link is closed",
  async () => {
    await using stack = new AsyncDisposableStack();
    const { cgroup, call } = await makeStage(stack);
    const object = await loadTraffic(stack, "target_port", targetPort);
    using program = object.program("redirect_connect");
    expect(await call(7)).toBe("ECONNREFUSED");
    const link = await program.attachCgroup(cgroup);
    expect(link.info).toMatchObject({ type: "cgroup", programId: program.info.id, attachType: type });
    expect(cgroupPrograms(cgroup, type)).toEqual([program.info.id]);
    expect(await call(7)).toBe("hello");
    expect(counter(object, connects)).toBe(1);
    link.close();
    expect(cgroupPrograms(cgroup, type)).toEqual([]);
    expect(await call(7)).toBe("ECONNREFUSED");
  },
);

kernelTest(
  "operation: attach to a cgroup without a link (BpfProgram.attachCgroupAs, Attachment.detach, cgroupAttachments) - " +
    "in a mode that keeps links out, and in one that does not",
  async () => {
    await using stack = new AsyncDisposableStack();
    const { cgroup, call } = await makeStage(stack);
    const object = await loadTraffic(stack, "target_port", targetPort);
    using redirect = object.program("redirect_connect");
    using refuse = object.program("refuse_connect");
    expect(cgroupAttachments(cgroup, type)).toEqual({ programIds: [], mode: undefined });
    for (const mode of ["exclusive", "override"] as const) {
      const attachment = await redirect.attachCgroupAs(cgroup, mode);
      expect(cgroupAttachments(cgroup, type)).toEqual({ programIds: [redirect.info.id], mode });
      await expect(refuse.attachCgroup(cgroup)).rejects.toThrow(/^attach program refuse_connect .*: EPERM /);
      expect(await call(7)).toBe("hello");
      await attachment.detach();
    }
    await using together = await redirect.attachCgroupAs(cgroup, "multi");
    using link = await refuse.attachCgroup(cgroup);
    expect(cgroupAttachments(cgroup, type)).toEqual({
      programIds: [redirect.info.id, link.info.programId],
      mode: "multi",
    });
    expect(await call(7)).toBe("EPERM");
    expect(together).toBeInstanceOf(Attachment);
  },
);

kernelTest(
  "operation: all programs of a cgroup (effectiveCgroupPrograms) - those of its parent run after its own",
  async () => {
    await using stack = new AsyncDisposableStack();
    const outer = stack.use(makeCgroup());
    const inner = stack.use(makeCgroup(outer.path));
    const object = await loadTraffic(stack, "target_port", targetPort);
    using redirect = object.program("redirect_connect");
    using refuse = object.program("refuse_connect");
    const before = effectiveCgroupPrograms(inner.path, type);
    using above = await redirect.attachCgroup(outer.path);
    using below = await refuse.attachCgroup(inner.path);
    expect(effectiveCgroupPrograms(inner.path, type)).toEqual([
      below.info.programId,
      above.info.programId,
      ...before,
    ]);
    expect(cgroupPrograms(inner.path, type)).toEqual([refuse.info.id]);
  },
);

kernelTest(
  "operation: list the kernel's programs (programIds, BpfProgram.openById) - one appears, and is gone when closed",
  async () => {
    const object = await openProgram("traffic");
    object.configureProgram("forward", { type: "sk_skb", expectedAttachType: "sk_skb_verdict" });
    await object.load();
    const program = object.program("refuse_connect");
    const { id, name } = program.info;
    expect(programIds()).toContain(id);
    using same = BpfProgram.openById(id);
    expect(same.info.name).toBe(name.slice(0, 15));
    same.close();
    program.close();
    object.close();
    await expect.poll(() => programIds()).not.toContain(id);
  },
);

kernelTest(
  "operation: probe links of cgroups (BpfProgram.probeCgroupLink) - as the kernel takes them, attaching nothing",
  async () => {
    await using stack = new AsyncDisposableStack();
    const object = await loadTraffic(stack, "target_port", targetPort);
    using connect = object.program("redirect_connect");
    expect(connect.probeCgroupLink()).toBe(true);
    // Loaded for one hook, it is for no other.
    expect(connect.probeCgroupLink("cgroup_inet6_connect")).toBe(false);
  },
);

kernelTest("operation: update a link (BpfLink.update) - the next call meets the new program", async () => {
  await using stack = new AsyncDisposableStack();
  const { cgroup, call } = await makeStage(stack);
  const object = await loadTraffic(stack, "target_port", targetPort);
  using redirect = object.program("redirect_connect");
  using refuse = object.program("refuse_connect");
  using link = await redirect.attachCgroup(cgroup);
  const { id } = link.info;
  expect(await call(7)).toBe("hello");
  await link.update(refuse);
  expect(link.info).toMatchObject({ id, programId: refuse.info.id });
  expect(await call(7)).toBe("EPERM");
});

kernelTest(
  "operation: pin a link (BpfLink.pin, BpfLink.openPinned, BpfLink.openById, BpfLink.detach) - " +
    "it works on without descriptors, is opened again and detached",
  async () => {
    await using stack = new AsyncDisposableStack();
    const { cgroup, call } = await makeStage(stack);
    const folder = stack.use(makePinFolder());
    {
      const object = await loadTraffic(stack, "target_port", targetPort);
      using program = object.program("redirect_connect");
      using attached = await program.attachCgroup(cgroup);
      attached.pin(`${folder.path}/link`);
      object.close();
    }
    expect(await call(7)).toBe("hello");
    using link = BpfLink.openPinned(`${folder.path}/link`);
    using same = BpfLink.openById(link.info.id);
    expect(same.info).toEqual(link.info);
    same.detach();
    expect(link.info.cgroupId).toBe(0n);
    expect(await call(7)).toBe("ECONNREFUSED");
  },
);

kernelTest(
  "operation: pin a program (BpfProgram.pin, BpfProgram.openPinned, BpfProgram.openById) - " +
    "opened by path it is attached with its type named",
  async () => {
    await using stack = new AsyncDisposableStack();
    const { cgroup, call } = await makeStage(stack);
    const folder = stack.use(makePinFolder());
    {
      const object = await loadTraffic(stack, "target_port", targetPort);
      using pinned = object.program("refuse_connect");
      pinned.pin(`${folder.path}/refuse`);
      object.close();
    }
    using program = BpfProgram.openPinned(`${folder.path}/refuse`);
    await expect(program.attachCgroup(cgroup)).rejects.toThrow(
      "the attach type of an opened program is not known",
    );
    using same = BpfProgram.openById(program.info.id);
    stack.use(await same.attachCgroup(cgroup, type));
    expect(await call(targetPort)).toBe("EPERM");
    await expect(program.attachCgroup(cgroup, "cgroup_inet6_connect")).rejects.toThrow(
      `attach program refuse_connect to cgroup ${cgroup} as cgroup_inet6_connect: EINVAL (22)`,
    );
    await expect(program.attachCgroup("/nowhere", type)).rejects.toThrow("ENOENT (2)");
  },
);

/** A connection between two sockets of one process: says its ports, then what is received and what fails. */
const converse = `import net from "node:net";
const server = net.createServer((peer) => peer.on("data", (data) => console.log(String(data))));
server.listen(0, "127.0.0.1", () => {
  const { port } = server.address();
  const caller = net.connect(port, "127.0.0.1", () => console.log(caller.localPort, port));
  caller.on("error", (error) => console.log(error.code));
  process.stdin.on("data", (text) => caller.write(text)).on("end", () => process.exit());
});`;

kernelTest(
  "operation: attach sockops (BpfProgram.attachCgroup) - " +
    "both ends of a connection are counted and kept in a sockhash, where sk_msg sees their messages",
  async () => {
    await using stack = new AsyncDisposableStack();
    const { cgroup, netns } = await makeStage(stack);
    const object = await loadTraffic(stack, "target_port", targetPort);
    using keeper = object.program("keep_established");
    using filter = object.program("steer_message");
    using sockets = object.map("sockets");
    stack.use(await filter.attachSockmap(sockets));
    stack.use(await keeper.attachCgroup(cgroup));
    const pair = stack.use(startInside({ cgroup, netns }, converse));
    const ports = (await pair.readLine())?.split(" ").map(Number);
    await expect.poll(() => counter(object, established)).toBe(2);
    const kept = (await collect(sockets.keys())).flatMap(numbers);
    expect(new Set(kept)).toEqual(new Set(ports));
    pair.write("Passed");
    expect(await pair.readLine()).toBe("Passed");
    pair.write("Dropped");
    expect(await pair.readLine()).toBe("EACCES");
    await pair.end();
    await expect.poll(() => collect(sockets.keys())).toEqual([]);
  },
);

kernelTest("a program outlives its object, and refuses once it is closed itself", async () => {
  using cgroup = makeCgroup();
  const object = await loadProgram("basic");
  const program = object.program("count");
  object.close();
  expect((await program.testRun({ data: new Uint8Array(64) })).returnValue).toBe(0);
  await expect(program.attachCgroup(cgroup.path, "cgroup_inet4_connect")).rejects.toThrow("EINVAL (22)");
  program.close();
  await expect(program.testRun()).rejects.toThrow(new TypeError("program count is closed"));
});
