import { closeSync } from "node:fs";
import * as fc from "fast-check";
import { expect } from "vitest";
import { Attachment } from "./attachment.ts";
import { BpfError } from "./bpf-error.ts";
import { BpfLink } from "./bpf-link.ts";
import { BpfMap } from "./bpf-map.ts";
import { BpfObject } from "./bpf-object.ts";
import { BpfProgram } from "./bpf-program.ts";
import { type NativeHandle, native } from "./native.ts";
import { RingBuffer } from "./ring-buffer.ts";
import { garbage } from "./testing/garbage.ts";
import { kernelTest } from "./testing/kernel-test.ts";
import { makeCgroup, makeNamespace } from "./testing/places.ts";
import { compileProgram, loadProgram, openProgram, u32 } from "./testing/programs.ts";
import { TypedMap } from "./typed-map.ts";

/** What of a call's outcome is fine: any value, or an error that says what is wrong with the arguments. */
function isPlainError(error: unknown): boolean {
  return (
    error instanceof BpfError ||
    error instanceof TypeError ||
    error instanceof RangeError ||
    (error instanceof Error && error.message === "touched")
  );
}

/** Calls, waits for a promise or a generator's first step, and gives back what must be released. */
async function outcome(call: () => unknown): Promise<unknown> {
  try {
    const result = await call();
    if (typeof result === "object" && result !== null && Symbol.asyncIterator in result) {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- only generators have the symbol here
      await (result as AsyncGenerator).next();
    }
    return result;
  } catch (error) {
    if (!isPlainError(error)) throw error;
    return undefined;
  }
}

type Call = (parameters: unknown[]) => unknown;

/** The methods of an object and of its class; `without` names those that would end the object's life. */
function methodsOf(target: object, without: readonly string[] = []): Call[] {
  const calls: Call[] = [];
  for (const [owner, self] of [
    [Reflect.getPrototypeOf(target), target],
    [target.constructor, target.constructor],
  ] as const) {
    for (const name of Object.getOwnPropertyNames(owner)) {
      if (name === "constructor" || without.includes(name)) continue;
      const value: unknown = Reflect.getOwnPropertyDescriptor(owner ?? {}, name)?.value;
      if (typeof value === "function") calls.push((parameters) => Reflect.apply(value, self, parameters));
    }
  }
  return calls;
}

/** Every public object, open. Objects by id are not asked for: the ids could be others'. */
async function makeTargets(stack: AsyncDisposableStack) {
  const cgroup = stack.use(makeCgroup());
  const space = stack.use(makeNamespace());
  const opened = stack.use(await openProgram("basic"));
  const loaded = stack.use(await loadProgram("basic"));
  const traffic = stack.use(await openProgram("traffic"));
  traffic.configureProgram("forward", { autoload: false });
  await traffic.load();
  const program = stack.use(traffic.program("redirect_connect"));
  const services = stack.use(loaded.map("services"));
  const targets: object[] = [
    opened,
    loaded,
    services,
    new TypedMap(services, loaded.mapLayout("services")),
    stack.use(loaded.program("count")),
    stack.use(loaded.program("emit")),
    program,
    stack.use(await program.attachCgroup(cgroup.path)),
    stack.use(await traffic.program("watch_packet").attachClsact("lo", "ingress", { netnsPath: space.path })),
    stack.use(new RingBuffer(loaded.map("events"), () => undefined)),
  ];
  for (const name of loaded.mapNames()) targets.push(stack.use(loaded.map(name)));
  return targets;
}

const ending = ["close", "detach", "freeze", "openById"];

kernelTest(
  "no argument of any type crashes a public operation, on open objects and on closed ones",
  async () => {
    await using stack = new AsyncDisposableStack();
    const targets = await makeTargets(stack);
    const closed = await makeTargets(stack);
    for (const target of closed) {
      if (target instanceof Attachment) await target.detach();
      else if ("close" in target && typeof target.close === "function")
        Reflect.apply(target.close, target, []);
    }
    const methods = [
      ...targets.flatMap((target) => methodsOf(target, ending)),
      ...closed.flatMap((target) => methodsOf(target, ["openById"])),
    ];
    const argument = fc.oneof(
      { weight: 5, arbitrary: garbage },
      { weight: 1, arbitrary: fc.constantFrom(...targets, ...closed) },
    );
    const call = fc.tuple(fc.constantFrom(...methods), fc.array(argument, { maxLength: 4 }));
    await fc.assert(
      fc.asyncProperty(call, async ([method, parameters]) => {
        const result = await outcome(() => method(parameters));
        if (result instanceof BpfMap || result instanceof BpfProgram || result instanceof BpfLink)
          result.close();
        if (result instanceof BpfObject || result instanceof Attachment) result.close();
      }),
      { numRuns: 5000 },
    );
  },
  120_000,
);

/** Without a look at the types. */
function callNative(name: keyof typeof native, ...parameters: unknown[]): unknown {
  return Reflect.apply(native[name], undefined, parameters);
}

/** Would act on the machine, on others' objects, or end the handles under test. */
const skipped = new Set([
  "setErrorClass",
  "mountBpffs",
  "lockDescriptor",
  "close",
  "openMapById",
  "openProgramById",
  "openLinkById",
]);

interface Handles {
  all: NativeHandle[];
  /** Arguments with which functions do what they are for, or nearly. */
  right: Partial<Record<string, unknown[]>>;
}

async function makeHandles(): Promise<Handles> {
  const object = await native.openObject(compileProgram("basic"), "basic.bpf.o", "basic");
  await native.loadObject(object);
  const opened = await native.openObject(compileProgram("basic"), "basic.bpf.o", "basic");
  const take = (name: string) => native.objectMap(object, name);
  const map = take("services");
  const [events, versions, stubs, queue] = [take("events"), take("versions"), take("stubs"), take("waiting")];
  const program = native.objectProgram(object, "count");
  const socket = await native.socketListen(undefined, "127.0.0.1", 0, 1);
  const walk = native.mapWalk(map, true);
  const ring = native.openRingBuffer(events, () => undefined);
  const inner = { type: "hash", name: "inner", keySize: 4, valueSize: 4, maxEntries: 16 };
  const shape = native.createMap(inner);
  const [key, value] = [new Uint8Array(12), new Uint8Array(48)];
  const [keys, values] = [new Uint8Array(24), new Uint8Array(96)];
  const filter = ["none0", "ingress", undefined, 1, 1, false];
  return {
    all: [object, opened, map, events, versions, stubs, queue, program, socket, walk, ring, shape],
    right: {
      mapLookup: [map, key],
      mapTake: [queue, undefined],
      mapUpdate: [map, key, value, 0],
      mapDelete: [map, key],
      mapBatchUpdate: [map, 0, 2, keys, values, 0],
      mapBatchDelete: [map, 0, 2, keys],
      mapWalk: [map, true],
      mapWalkNext: [walk, 10],
      mapReadAll: [map, 10],
      mapSetReference: [versions, u32(0), shape],
      mapDeleteReference: [stubs, u32(0)],
      mapSetSocket: [map, key, 2 ** 20, 0],
      mapInfo: [map],
      mapLayout: [map],
      createMap: [inner, undefined],
      openObject: [new Uint8Array(200), "zeros", "zeros"],
      objectMap: [object, "services"],
      objectProgram: [object, "count"],
      objectMapLayout: [object, "services"],
      objectTypeLayout: [object, "request"],
      configureMap: [opened, "versions", 10, undefined, shape],
      configureProgram: [opened, "count", true, "sk_msg_verdict", "sk_msg"],
      readOnlySize: [opened, "answer"],
      setReadOnlyData: [opened, "answer", u32(1)],
      programTestRun: [program, new Uint8Array(64), undefined, 3],
      attachCgroup: [program, "/nowhere", "cgroup_inet4_connect"],
      attachCgroupAs: [program, "/nowhere", 2, "cgroup_inet4_connect"],
      cgroupPrograms: ["/nowhere", "cgroup_inet4_connect", true],
      probeCgroupLink: [program, "cgroup_inet4_connect"],
      iptablesChains: ["ip", "none"],
      attachSockmap: [program, map, "sk_msg_verdict"],
      attachClsact: [program, ...filter],
      detachClsact: filter,
      openRingBuffer: [events, () => undefined],
      ringBufferReference: [ring, false],
      socketConnect: [undefined, "127.0.0.1", 9, "127.0.0.1"],
      socketListen: [undefined, "127.0.0.1", 0, 1],
      socketDatagram: [undefined, "127.0.0.1", 0],
      waitWritable: [socket, () => undefined],
      probeHelper: ["sk_msg", "bpf_msg_redirect_hash"],
      pin: [map, "not/on/a/bpffs"],
    },
  };
}

kernelTest(
  "no argument of any type crashes a function of the addon, nor does a handle of another kind or a closed one",
  async () => {
    const { all: open, right } = await makeHandles();
    const { all: closed } = await makeHandles();
    for (const handle of [...closed, ...closed]) native.close(handle);
    const functions = Object.entries(native).filter(([name]) => !skipped.has(name));
    const argument = fc.oneof(
      { weight: 3, arbitrary: garbage },
      { weight: 2, arbitrary: fc.constantFrom(...open) },
      { weight: 1, arbitrary: fc.constantFrom(...closed) },
    );
    // Right arguments, some of which are replaced.
    const changes = fc.array(fc.tuple(fc.nat(6), argument), { maxLength: 3 });
    const working = new Set<string>();
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...functions), changes, async ([name, fn], replaced) => {
        const parameters = [...(right[name] ?? [])];
        for (const [index, value] of replaced) parameters[index] = value;
        const result = await outcome(() => Reflect.apply(fn, undefined, parameters));
        if (result !== undefined) working.add(name);
        if (name === "socketTake" && typeof result === "number") closeSync(result);
        else callNative("close", result);
      }),
      { numRuns: 10_000 },
    );
    for (const handle of [...open, ...open]) native.close(handle);
    // It was not all refused at the door. (What a look-up finds depends on what was deleted before it.)
    expect([...working]).toEqual(
      expect.arrayContaining(["mapInfo", "mapReadAll", "programTestRun", "createMap"]),
    );
  },
  120_000,
);

kernelTest("garbage given to functions that act on the machine or open by id is refused", () => {
  for (const value of [undefined, null, 1, {}, [], Symbol("s"), 1n, u32(1)]) {
    for (const name of ["mountBpffs", "unpin", "setErrorClass"] as const) {
      expect(() => callNative(name, value)).toThrow(TypeError);
    }
  }
  for (const value of [undefined, null, -1, 1.5, "1", {}, Symbol("s"), 1n, 2 ** 32]) {
    for (const name of ["openMapById", "openProgramById", "openLinkById"] as const) {
      expect(() => callNative(name, value)).toThrow(/id must be a whole number/);
    }
    expect(() => callNative("lockDescriptor", value)).toThrow(/fd must be a whole number/);
  }
});
