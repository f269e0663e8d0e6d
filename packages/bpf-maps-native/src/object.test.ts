import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { BpfError } from "./bpf-error.ts";
import { BpfMap } from "./bpf-map.ts";
import { BpfObject } from "./bpf-object.ts";
import { kernelTest } from "./testing/kernel-test.ts";
import { compileProgram, loadProgram, numbers, openProgram, u32 } from "./testing/programs.ts";

async function failure(work: () => unknown): Promise<BpfError> {
  try {
    await work();
  } catch (error) {
    if (error instanceof BpfError) return error;
    throw error;
  }
  throw new Error("nothing failed");
}

kernelTest(
  "operation: open an object (BpfObject.open, BpfObject.mapNames, BpfObject.programNames, BpfObject.map) - lists maps and programs of a file and of bytes",
  async () => {
    using object = await openProgram("basic");
    expect(object.programNames().toSorted()).toEqual([
      "count",
      "emit",
      "read_settings",
      "tail_stub",
      "tail_target",
    ]);
    expect(object.mapNames()).toContain("services");
    expect(object.mapNames()).toContain("basic.rodata");
    using copy = await BpfObject.open(await readFile(compileProgram("basic")), { name: "copy.bpf.o" });
    await copy.load();
    expect(copy.map("services").info.name).toBe("services");
  },
);

kernelTest(
  "operation: set read-only data (BpfObject.setReadOnlyData) - the program computes with what was set",
  async () => {
    using object = await openProgram("basic");
    object.setReadOnlyData("answer", 40);
    object.setReadOnlyData("wide", 2n);
    object.setReadOnlyData("enabled", true);
    object.setReadOnlyData("name", Uint8Array.of(100, 0, 0, 0, 0, 0, 0, 0));
    await object.load();
    using program = object.program("read_settings");
    expect((await program.testRun()).returnValue).toBe(142);
  },
);

kernelTest("read-only data of the wrong size, name or time is refused", async () => {
  using object = await openProgram("basic");
  expect(() => {
    object.setReadOnlyData("answer", 2n ** 32n);
  }).toThrow("variable answer has 4 bytes, too few for 4294967296");
  const size = await failure(() => {
    object.setReadOnlyData("name", new Uint8Array(3));
  });
  expect(size.message).toBe(
    "set read-only data variable name of basic.bpf.o: EINVAL (22): has 8 bytes, got 3",
  );
  const name = await failure(() => {
    object.setReadOnlyData("nobody", 1);
  });
  expect(name).toMatchObject({ code: "ENOENT", object: "variable nobody of basic.bpf.o" });
  await object.load();
  const late = await failure(() => {
    object.setReadOnlyData("answer", 1);
  });
  expect(late.code).toBe("EBUSY");
});

kernelTest(
  "operation: load (BpfObject.load, BpfObject.program) - programs get ids and the verifier's count",
  async () => {
    using object = await loadProgram("basic");
    using program = object.program("count");
    expect(program.info).toMatchObject({ name: "count", type: "sched_cls" });
    expect(program.info.id).toBeGreaterThan(0);
    expect(program.info.verifiedInstructions).toBeGreaterThan(0);
  },
);

kernelTest(
  "operation: verifier log (BpfObject.load) - the refused program, errno, reason and whole log are told",
  async () => {
    using object = await openProgram("broken");
    const error = await failure(async () => {
      await object.load();
    });
    expect(error).toMatchObject({ code: "EACCES", errno: 13, operation: "load" });
    expect(error.object).toBe("program broken of broken.bpf.o");
    expect(error.message).toMatch(
      /^load program broken of broken\.bpf\.o: EACCES \(13\): R\d invalid mem access '(scalar|inv)'$/,
    );
    expect(error.verifierLog).toContain("processed ");
    expect(error.verifierLog).toContain(error.message.split("): ")[1]);
  },
);

kernelTest(
  "operation: leave out a program (BpfObject.configureProgram) - the rest of the object loads",
  async () => {
    using object = await openProgram("broken");
    object.configureProgram("broken", { autoload: false });
    await object.load();
    using sound = object.program("sound");
    expect((await sound.testRun({ data: new Uint8Array(64) })).returnValue).toBe(0);
    expect((await failure(() => object.program("broken"))).code).toBe("EBADF");
  },
);

kernelTest(
  "operation: configure a map (BpfObject.configureMap) - size, reuse of an existing one",
  async () => {
    using first = await openProgram("basic");
    first.configureMap("services", { maxEntries: 5 });
    await first.load();
    using services = first.map("services");
    expect(services.info.maxEntries).toBe(5);
    using second = await openProgram("basic");
    second.configureMap("services", { reuse: services });
    await second.load();
    using shared = second.map("services");
    expect(shared.info.id).toBe(services.info.id);
  },
);

kernelTest(
  "operation: inner map shape (BpfObject.configureMap) - an object's map of maps takes the shape of a given map",
  async () => {
    using template = BpfMap.create({ type: "array", name: "shape", keySize: 4, valueSize: 4, maxEntries: 3 });
    using object = await openProgram("basic");
    object.configureMap("versions", { innerMap: template });
    await object.load();
    using versions = object.map("versions");
    using hash = BpfMap.create({ type: "hash", name: "other", keySize: 4, valueSize: 4, maxEntries: 3 });
    expect((await failure(async () => await versions.setInner(u32(0), hash))).code).toBe("EINVAL");
    await versions.setInner(u32(0), template);
    expect(versions.innerId(u32(0))).toBe(template.info.id);
  },
);

kernelTest(
  "operation: test run (BpfProgram.testRun) - returns value, packet and time, and writes the context",
  async () => {
    using object = await loadProgram("basic");
    using program = object.program("tail_stub");
    const result = await program.testRun({ data: new Uint8Array(64).fill(5), repeat: 10 });
    expect(result.returnValue).toBe(7);
    expect(result.data).toEqual(new Uint8Array(64).fill(5));
    using emit = object.program("emit");
    const emitted = await emit.testRun({ context: u32(3, 9) });
    expect(emitted.returnValue).toBe(3);
    expect(numbers(emitted.context)).toEqual([3, 9]);
  },
);

kernelTest("a load under way refuses all else, and finishes after close", async () => {
  using object = await openProgram("basic");
  const loading = object.load();
  expect((await failure(() => object.mapNames())).code).toBe("EBUSY");
  object.close();
  await loading;
  expect(() => object.mapNames()).toThrow(TypeError);
});

kernelTest("errors of opening name the file and keep the errno", async () => {
  const missing = await failure(async () => await BpfObject.open("/nowhere/none.bpf.o"));
  expect(missing).toMatchObject({ code: "ENOENT", operation: "open", object: "none.bpf.o" });
  const garbage = await failure(async () => await BpfObject.open(new Uint8Array(100), { name: "zeros" }));
  expect(garbage).toMatchObject({ code: "LIBBPF_FORMAT", object: "zeros" });
  using object = await loadProgram("basic");
  const unknown = await failure(() => object.map("nothing"));
  expect(unknown.message).toContain("no such map, there are: ");
});

test("an error of the addon prints without its log", () => {
  const error = new BpfError({
    errno: 13,
    code: "EACCES",
    operation: "load",
    object: "x",
    detail: "y",
    verifierLog: "long",
  });
  expect(error.verifierLog).toBe("long");
  expect(Object.keys(error)).not.toContain("verifierLog");
});
