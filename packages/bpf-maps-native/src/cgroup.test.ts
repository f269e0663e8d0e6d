import { createServer } from "node:net";
import { expect } from "vitest";
import { BpfLink } from "./bpf-link.ts";
import { BpfProgram } from "./bpf-program.ts";
import { cgroupPrograms } from "./kernel.ts";
import { listenInNamespace } from "./namespace-sockets.ts";
import { kernelTest } from "./testing/kernel-test.ts";
import { makeCgroup, makeNamespace, makePinFolder, runInside } from "./testing/places.ts";
import { loadProgram, numbers, openProgram, u32 } from "./testing/programs.ts";

const targetPort = 7070;
const type = "cgroup_inet4_connect";

/** Prints what a server says, or the error's code. */
const dial = `import net from "node:net";
const socket = net.connect(Number(process.argv[1]), "127.0.0.1");
socket.on("data", (data) => { console.log(String(data)); socket.destroy(); });
socket.on("error", (error) => console.log(error.code));`;

/** A greeting server in a new namespace, and a new cgroup to dial from. */
async function stage() {
  const stack = new AsyncDisposableStack();
  const space = stack.use(makeNamespace());
  const cgroup = stack.use(makeCgroup());
  const server = createServer((socket) => socket.end("hello"));
  server.listen({ fd: await listenInNamespace(space.path, { address: "127.0.0.1", port: targetPort }) });
  stack.defer(() => void server.close());
  const call = async (port: number) =>
    (await runInside({ cgroup: cgroup.path, netns: space.name }, dial, String(port))).trim();
  return { stack, cgroup: cgroup.path, space, call };
}

async function connectObject() {
  const object = await openProgram("traffic");
  object.setReadOnlyData("target_port", targetPort);
  object.configureProgram("forward", { type: "sk_skb", expectedAttachType: "sk_skb_verdict" });
  await object.load();
  return object;
}

kernelTest(
  "operation: attach to a cgroup - connect4 sends calls elsewhere, until the link is closed",
  async () => {
    const { stack, cgroup, call } = await stage();
    await using _ = stack;
    using object = await connectObject();
    using program = object.program("redirect_connect");
    expect(await call(7)).toBe("ECONNREFUSED");
    {
      using link = await program.attachCgroup(cgroup);
      expect(link.info).toMatchObject({ type: "cgroup", programId: program.info.id, attachType: type });
      expect(cgroupPrograms(cgroup, type)).toEqual([program.info.id]);
      expect(await call(7)).toBe("hello");
      expect(numbers(object.map("counters").lookup(u32(0)))).toEqual([1]);
    }
    expect(cgroupPrograms(cgroup, type)).toEqual([]);
    expect(await call(7)).toBe("ECONNREFUSED");
  },
);

kernelTest("operation: update a link - the next call meets the new program", async () => {
  const { stack, cgroup, call } = await stage();
  await using _ = stack;
  using object = await connectObject();
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
  "operation: pin a link - it works on without descriptors, is opened again and detached",
  async () => {
    const { stack, cgroup, call } = await stage();
    await using _ = stack;
    using folder = makePinFolder();
    const paths = { link: `${folder.path}/link`, program: `${folder.path}/program` };
    {
      using object = await connectObject();
      using program = object.program("redirect_connect");
      program.pin(paths.program);
      using link = await program.attachCgroup(cgroup);
      link.pin(paths.link);
    }
    expect(await call(7)).toBe("hello");
    using link = BpfLink.openPinned(paths.link);
    using program = BpfProgram.openPinned(paths.program);
    expect(link.info.programId).toBe(program.info.id);
    using same = BpfLink.openById(link.info.id);
    same.detach();
    expect(link.info.cgroupId).toBe(0n);
    expect(await call(7)).toBe("ECONNREFUSED");
  },
);

kernelTest("operation: pin a program - opened by path it is attached with its type named", async () => {
  const { stack, cgroup, call } = await stage();
  await using _ = stack;
  using folder = makePinFolder();
  {
    using object = await connectObject();
    using program = object.program("refuse_connect");
    program.pin(`${folder.path}/refuse`);
  }
  using program = BpfProgram.openPinned(`${folder.path}/refuse`);
  await expect(program.attachCgroup(cgroup)).rejects.toThrow(
    "the attach type of an opened program is not known",
  );
  using _link = await program.attachCgroup(cgroup, type);
  expect(await call(targetPort)).toBe("EPERM");
  await expect(program.attachCgroup(cgroup, "cgroup_inet6_connect")).rejects.toThrow(
    `attach program refuse_connect to cgroup ${cgroup} as cgroup_inet6_connect: EINVAL (22)`,
  );
  await expect(program.attachCgroup("/nowhere", type)).rejects.toThrow("ENOENT (2)");
});

kernelTest(
  "operation: attach sockops - both ends of a connection are counted and kept in a sockhash",
  async () => {
    const { stack, cgroup, space } = await stage();
    await using _ = stack;
    using object = await connectObject();
    using program = object.program("keep_established");
    using _link = await program.attachCgroup(cgroup);
    const script = `import net from "node:net";
const server = net.createServer((socket) => socket.end("x")).listen(8080, "127.0.0.1", () => {
  net.connect(8080, "127.0.0.1").on("data", () => {}).on("close", () => { server.close(); console.log("done"); });
});`;
    expect(await runInside({ cgroup, netns: space.name }, script)).toBe("done\n");
    expect(numbers(object.map("counters").lookup(u32(1)))).toEqual([2]);
  },
);

kernelTest("a link that is closed refuses, and the program of a closed object stays", async () => {
  using cgroup = makeCgroup();
  const object = await loadProgram("basic");
  const program = object.program("count");
  object.close();
  expect((await program.testRun({ data: new Uint8Array(64) })).returnValue).toBe(0);
  await expect(program.attachCgroup(cgroup.path, "cgroup_inet4_connect")).rejects.toThrow("EINVAL (22)");
  program.close();
  await expect(program.testRun()).rejects.toThrow(new TypeError("program count is closed"));
});
