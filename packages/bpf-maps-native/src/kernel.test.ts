import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { possibleCpus, probeHelper, probeMapType, probeProgramType } from "./kernel.ts";
import { native } from "./native.ts";
import { kernelTest } from "./testing/kernel-test.ts";
import { attachTypes, linkTypes, mapTypes, programTypes } from "./type-names.ts";

kernelTest(
  "operation: probe - program types, map types and helpers that every supported kernel has, and not",
  () => {
    expect(probeProgramType("sk_msg")).toBe(true);
    expect(probeMapType("sockhash")).toBe(true);
    expect(probeHelper("sk_msg", "bpf_msg_redirect_hash")).toBe(true);
    expect(probeHelper("sk_msg", "bpf_sock_hash_update")).toBe(false);
    expect(() => probeHelper("sk_msg", "bpf_no_such_helper")).toThrow(TypeError);
  },
);

test("the names of types are those of the library", () => {
  expect({ map: mapTypes, program: programTypes, attach: attachTypes, link: linkTypes }).toEqual(
    native.typeNames(),
  );
});

test("possible CPUs are those that the kernel lists", () => {
  const ranges = readFileSync("/sys/devices/system/cpu/possible", "utf8").trim().split(",");
  const counts = ranges.map((range) => {
    const [first = 0, last = first] = range.split("-").map(Number);
    return last - first + 1;
  });
  expect(possibleCpus()).toBe(counts.reduce((sum, count) => sum + count, 0));
});
