import { closeSync, openSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { BpfMap } from "./bpf-map.ts";
import {
  linkIds,
  lockDescriptor,
  mapIds,
  mountBpffs,
  possibleCpus,
  probeHelper,
  probeMapType,
  probeProgramType,
} from "./kernel.ts";
import { native } from "./native.ts";
import { kernelTest } from "./testing/kernel-test.ts";
import { makeFolder, makePinFolder } from "./testing/places.ts";
import { attachTypes, linkTypes, mapTypes, programTypes } from "./type-names.ts";

kernelTest(
  "operation: probe the kernel (probeProgramType, probeMapType, probeHelper) - " +
    "types and helpers that every supported kernel has, and a helper that a program type may not call",
  () => {
    expect(probeProgramType("sk_msg")).toBe(true);
    expect(probeMapType("sockhash")).toBe(true);
    expect(probeHelper("sk_msg", "bpf_msg_redirect_hash")).toBe(true);
    expect(probeHelper("sk_msg", "bpf_sock_hash_update")).toBe(false);
    expect(() => probeHelper("sk_msg", "bpf_no_such_helper")).toThrow(TypeError);
  },
);

kernelTest("operation: mount a bpffs (mountBpffs) - once, and maps can be pinned in it", () => {
  using folder = makeFolder();
  using map = BpfMap.create({ type: "array", name: "pinned", keySize: 4, valueSize: 4, maxEntries: 1 });
  const pin = () => {
    map.pin(`${folder.path}/pinned`);
  };
  expect(pin).toThrow(/^pin map pinned at .*: (EINVAL|EPERM) /);
  expect([mountBpffs(folder.path), mountBpffs(folder.path)]).toEqual([true, false]);
  pin();
  using again = BpfMap.openPinned(`${folder.path}/pinned`);
  expect(again.info.id).toBe(map.info.id);
  expect(() => mountBpffs("/nowhere")).toThrow("mount bpffs /nowhere: ENOENT (2)");
});

kernelTest(
  "operation: lock a folder of pins (lockDescriptor) - one has it until its descriptor is closed",
  () => {
    using folder = makePinFolder();
    const [first, second] = [openSync(folder.path, "r"), openSync(folder.path, "r")];
    try {
      expect([lockDescriptor(first), lockDescriptor(second), lockDescriptor(first)]).toEqual([
        true,
        false,
        true,
      ]);
      closeSync(first);
      expect(lockDescriptor(second)).toBe(true);
    } finally {
      closeSync(second);
    }
  },
);

kernelTest(
  "operation: list ids of maps and links (mapIds, linkIds) - a map's is there as long as the map is",
  async () => {
    const map = BpfMap.create({ type: "array", name: "listed", keySize: 4, valueSize: 4, maxEntries: 1 });
    const { id } = map.info;
    expect(mapIds()).toContain(id);
    map.close();
    // Freed by the kernel in its own time, after RCU.
    await expect.poll(mapIds).not.toContain(id);
    expect(linkIds().every((link) => link > 0)).toBe(true);
  },
);

test("the names of types are those that the library begins its tables with", () => {
  const { map, program, attach, link } = native.typeNames();
  expect(map.slice(0, mapTypes.length)).toEqual(mapTypes);
  expect(program.slice(0, programTypes.length)).toEqual(programTypes);
  expect(attach.slice(0, attachTypes.length)).toEqual(attachTypes);
  expect(link.slice(0, linkTypes.length)).toEqual(linkTypes);
});

kernelTest("operation: possible CPUs (possibleCpus) - those that the kernel lists", () => {
  const ranges = readFileSync("/sys/devices/system/cpu/possible", "utf8").trim().split(",");
  const counts = ranges.map((range) => {
    const [first = 0, last = first] = range.split("-").map(Number);
    return last - first + 1;
  });
  expect(possibleCpus()).toBe(counts.reduce((sum, count) => sum + count, 0));
});
