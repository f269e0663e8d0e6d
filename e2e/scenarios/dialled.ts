// The program that tells an Envoy which connection it has accepted.
import assert from "node:assert/strict";
import { BpfProgram, cgroupPrograms } from "bpf-maps-native";
import { assertCheapToVerify } from "./cheap-to-verify.ts";
import type { Scenario } from "./scenario.ts";

export const dialledIsCheap: Scenario = {
  name: "the program that tells an Envoy what was dialled is cheap to verify, and sees no cgroup but the agent's",
  run: async (reviews) => {
    const { place, pid } = reviews.world.applier();
    const programs = cgroupPrograms(place.ownCgroup, "cgroup_getsockopt").map((id) => {
      using program = BpfProgram.openById(id);
      return program.info;
    });
    assert.deepEqual(
      programs.map(({ name }) => name),
      ["keelson_dialled"],
      `programs of the cgroup of process ${String(pid)}`,
    );
    assertCheapToVerify(programs);
  },
};
