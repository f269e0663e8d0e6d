import { expect } from "vitest";
import { detachClsact } from "./attachment.ts";
import { BpfError } from "./bpf-error.ts";
import { BpfLink } from "./bpf-link.ts";
import { BpfMap } from "./bpf-map.ts";
import { BpfObject } from "./bpf-object.ts";
import { BpfProgram } from "./bpf-program.ts";
import { cgroupPrograms, lockDescriptor, mountBpffs, unpin } from "./kernel.ts";
import { connectInNamespace, datagramInNamespace, listenInNamespace } from "./namespace-sockets.ts";
import { iptablesChains } from "./netfilter.ts";
import { RingBuffer } from "./ring-buffer.ts";
import { kernelTest } from "./testing/kernel-test.ts";
import { makeCgroup } from "./testing/places.ts";
import { loadProgram, openProgram, u32 } from "./testing/programs.ts";

/** What fails, and how its message must begin: operation, object, errno. */
type Failures = [beginning: string | RegExp, fail: () => unknown][];

async function expectFailures(failures: Failures): Promise<void> {
  for (const [beginning, fail] of failures) {
    const error: unknown = await new Promise((resolve) => {
      resolve(fail());
    }).catch((reason: unknown) => reason);
    if (!(error instanceof BpfError))
      throw new Error(`${String(beginning)}: not a BpfError`, { cause: error });
    if (typeof beginning === "string") expect(error.message.slice(0, beginning.length)).toBe(beginning);
    else expect(error.message).toMatch(beginning);
    const { operation, object, code, errno } = error;
    expect(error.message.startsWith(`${operation} ${object}: ${code} (${String(errno)}): `)).toBe(true);
    expect(errno).toBeGreaterThan(0);
    expect(error.message.at(-1)).not.toBe(" "); // it says why
  }
}

const none = "/nowhere/none";
const noId = 2 ** 32 - 2;

kernelTest(
  "operation: errors of opening and loading (BpfError) - each names step, object and errno",
  async () => {
    using opened = await openProgram("basic");
    using loaded = await loadProgram("basic");
    using wide = BpfMap.create({ type: "array", name: "wide", keySize: 4, valueSize: 8, maxEntries: 1 });
    const zeros = new Uint8Array(100);
    await expectFailures([
      ["open none.bpf.o: ENOENT (2): ", () => BpfObject.open("/nowhere/none.bpf.o")],
      ["open zeros: LIBBPF_FORMAT (4001): ", () => BpfObject.open(zeros, { name: "zeros" })],
      ["load basic.bpf.o: EALREADY (114): ", () => loaded.load()],
      ["get map map none of basic.bpf.o: ENOENT (2): no such map, there are: ", () => loaded.map("none")],
      ["get map map services of basic.bpf.o: EBADF (9): ", () => opened.map("services")],
      ["get program program none of basic.bpf.o: ENOENT (2): ", () => loaded.program("none")],
      ["get program program count of basic.bpf.o: EBADF (9): ", () => opened.program("count")],
      [
        "set read-only data variable none of basic.bpf.o: ENOENT (2): ",
        () => opened.setReadOnlyData("none", 1),
      ],
      [
        "set read-only data variable answer of basic.bpf.o: EBUSY (16): ",
        () => loaded.setReadOnlyData("answer", 1),
      ],
      ["configure map none of basic.bpf.o: ENOENT (2): ", () => opened.configureMap("none", {})],
      ["configure map services of basic.bpf.o: EBUSY (16): ", () => loaded.configureMap("services", {})],
      [
        "configure map services of basic.bpf.o: EINVAL (22): declared as hash with keys of 12 and values of 48 bytes, " +
          "map wide is array with keys of 4 and values of 8 bytes",
        () => opened.configureMap("services", { reuse: wide }),
      ],
      ["configure program none of basic.bpf.o: ENOENT (2): ", () => opened.configureProgram("none", {})],
      ["configure program count of basic.bpf.o: EBUSY (16): ", () => loaded.configureProgram("count", {})],
      ["read BTF map none of basic.bpf.o: ENOENT (2): ", () => opened.mapLayout("none")],
      ["read BTF struct none of basic.bpf.o: ENOENT (2): ", () => opened.structLayout("none")],
      ["read BTF map wide: ENOENT (2): ", () => wide.layout()],
    ]);
  },
);

kernelTest("a map that the kernel refuses is named when its object is loaded", async () => {
  using huge = await openProgram("basic");
  huge.configureMap("services", { maxEntries: 2 ** 32 - 1 });
  await expectFailures([[/^load map services of basic\.bpf\.o: E(2BIG|NOMEM|INVAL) /, () => huge.load()]]);
});

kernelTest("operation: errors of maps (BpfError) - each names step, map and errno", async () => {
  using object = await loadProgram("basic");
  using queue = object.map("waiting");
  using stubs = object.map("stubs");
  using versions = object.map("versions");
  using services = object.map("services");
  using count = object.program("emit");
  const options = { keySize: 4, valueSize: 4, maxEntries: 1 } as const;
  using map = BpfMap.create({ type: "hash", name: "small", ...options });
  map.update(u32(1), u32(1));
  const inner = { type: "array", name: "inner", ...options, maxEntries: 9 } as const;
  using other = BpfMap.create(inner);
  await expectFailures([
    [
      "create map none: EINVAL (22): ",
      () => BpfMap.create({ type: "hash", name: "none", ...options, keySize: 0 }),
    ],
    [`open pin ${none}: ENOENT (2): `, () => BpfMap.openPinned(none)],
    [`open map with id ${String(noId)}: ENOENT (2): `, () => BpfMap.openById(noId)],
    ["lookup map small: EINVAL (22): key has 3 bytes, must have 4", () => map.lookup(new Uint8Array(3))],
    ["update map small: E2BIG (7): ", () => map.update(u32(2), u32(2))],
    ["update map small: EEXIST (17): ", () => map.update(u32(1), u32(2), "create")],
    ["delete map waiting: ", () => queue.delete(new Uint8Array())],
    ["update map stubs: EINVAL (22): values of a prog_array are set by", () => stubs.update(u32(0), u32(0))],
    [
      "update map small: EINVAL (22): neither a map of maps nor a program array",
      () => map.setInner(u32(1), other),
    ],
    ["update map versions with map inner: EINVAL (22): ", () => versions.setInner(u32(0), other)],
    ["update map stubs with program emit: EINVAL (22): ", () => stubs.setProgram(u32(0), count)],
    [
      "update map services: EINVAL (22): neither a sockmap nor a sockhash",
      () => services.setSocket(new Uint8Array(12), 0),
    ],
    ["batch update map small: E2BIG (7): element 1 of 2: ", () => map.batchUpdate(u32(1, 2), u32(1, 2))],
    ["iterate map waiting: EINVAL (22): the map has no keys", () => queue.keys().next()],
    ["lookup and delete map small: EINVAL (22): needs a key of 4 bytes", () => map.pop()],
    [`pin map small at ${none}: ENOENT (2): `, () => map.pin(none)],
    ["unpin /proc/self/comm: EINVAL (22): not on a bpffs", () => unpin("/proc/self/comm")],
    ["mount bpffs /nowhere/none: ENOENT (2): ", () => mountBpffs(none)],
    ["lock descriptor 2147483647: EBADF (9): ", () => lockDescriptor(2 ** 31 - 1)],
    ["open ring buffer map small: EINVAL (22): ", () => new RingBuffer(map, () => undefined)],
  ]);
  map.freeze();
  await expectFailures([[/^freeze map small: E(BUSY|PERM) /, () => map.freeze()]]);
});

kernelTest(
  "operation: errors of programs, links and sockets (BpfError) - each names step, object and errno",
  async () => {
    using cgroup = makeCgroup();
    using object = await loadProgram("basic");
    using program = object.program("count");
    using services = object.map("services");
    using other = object.program("emit");
    const type = "cgroup_inet4_connect";
    const there = { address: "127.0.0.1", port: 1 };
    await expectFailures([
      [`open program with id ${String(noId)}: ENOENT (2): `, () => BpfProgram.openById(noId)],
      [`open link with id ${String(noId)}: ENOENT (2): `, () => BpfLink.openById(noId)],
      [`open pin ${none}: ENOENT (2): `, () => BpfLink.openPinned(none)],
      [
        `attach program count to cgroup ${none} as ${type}: ENOENT (2): `,
        () => program.attachCgroup(none, type),
      ],
      [
        `attach program count to cgroup ${cgroup.path} as ${type}: EINVAL (22): `,
        () => program.attachCgroup(cgroup.path, type),
      ],
      [
        `attach program count to cgroup ${none} as ${type}: ENOENT (2): `,
        () => program.attachCgroupAs(none, "multi", type),
      ],
      ["read table none of ip_tables: ENOENT (2): ", () => iptablesChains("ip", "none")],
      [
        /^attach program count to map services as sk_msg_verdict: (EINVAL|EOPNOTSUPP) /,
        () => program.attachSockmap(services, "sk_msg_verdict"),
      ],
      [
        "attach program count to clsact ingress of none0: ENODEV (19): no interface none0",
        () => program.attachClsact("none0", "ingress"),
      ],
      [
        "detach filter to clsact egress of none0: ENODEV (19): ",
        () => detachClsact("none0", "egress", { priority: 1, handle: 1 }),
      ],
      ["test run program count: EINVAL (22): ", () => program.testRun()],
      ["test run program emit: EINVAL (22): ", () => other.testRun({ data: new Uint8Array(64) })],
      [`query cgroup ${none}: ENOENT (2): `, () => cgroupPrograms(none, type)],
      ["connect 127.0.0.1:1: ECONNREFUSED (111): ", () => connectInNamespace(undefined, there)],
      [`connect network namespace ${none}: ENOENT (2): `, () => connectInNamespace(none, there)],
      [
        "listen address here: EINVAL (22): must be an IPv4 or IPv6 address",
        () => listenInNamespace(undefined, { address: "here", port: 1 }),
      ],
      [
        "bind 192.0.2.1:1: EADDRNOTAVAIL (99): ",
        () => datagramInNamespace(undefined, { address: "192.0.2.1", port: 1 }),
      ],
    ]);
  },
);
