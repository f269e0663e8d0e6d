import { objectPath } from "@keelson/bpf/object";
import { BpfError, BpfObject } from "bpf-maps-native";
import { expect, test } from "vitest";
import { kernelTest } from "./kernel.test-helper.ts";
import { hooks } from "./programs.ts";
import {
  attachRequestPrograms,
  configureRequestPrograms,
  programOf,
  whyNoRequestPrograms,
} from "./request-programs.ts";

/** A quarter of what the verifier walks at most. */
const mostInstructions = 250_000;

for (const mode of ["count", "queue"] as const)
  kernelTest(
    `programs on callers' sockets load with --sockets=${mode}, with all others, and are cheap to verify`,
    async () => {
      using object = await BpfObject.open(objectPath);
      configureRequestPrograms(object, mode === "queue");
      object.configureMap("callers", { maxEntries: 16 });
      await object.load();
      await attachRequestPrograms(object);
      using programs = object.map("request_programs");
      using counter = object.program("keelson_count_requests");
      expect(programs.programId(new Uint8Array(4))).toBe(counter.info.id);
      const hanging = hooks.map(([name]) => programOf(name, mode));
      for (const name of ["keelson_speak", "keelson_count_requests", ...hanging]) {
        using program = object.program(name);
        expect(program.info.verifiedInstructions, name).toBeLessThan(mostInstructions);
      }
    },
  );

test("only what the kernel says of these programs is a reason to go on without them", () => {
  const refused = (program: string): BpfError =>
    new BpfError({
      operation: "load",
      object: `program ${program} of x.o`,
      errno: 1,
      code: "EPERM",
      detail: "",
    });
  expect(whyNoRequestPrograms(refused("keelson_count_requests"))).toContain("CAP_PERFMON");
  expect(whyNoRequestPrograms(refused("keelson_speak"))).toContain("CAP_PERFMON");
  expect(whyNoRequestPrograms(refused("keelson_connect4"))).toBeUndefined();
  expect(whyNoRequestPrograms(new Error("keelson_count_requests"))).toBeUndefined();
});
