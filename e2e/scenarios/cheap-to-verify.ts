import assert from "node:assert/strict";
import type { BpfProgram } from "bpf-maps-native";

/** A quarter of what the verifier walks at most (BPF_COMPLEXITY_LIMIT_INSNS of the kernel's linux/bpf.h). */
const mostInstructions = 250_000;

/** All of them were loaded with a small part of the verifier's work, so that a kernel which walks more takes them, too. */
export function assertCheapToVerify(programs: readonly BpfProgram["info"][]): void {
  for (const { name, verifiedInstructions } of programs) {
    const found = `${name}: ${verifiedInstructions} instructions; below ${mostInstructions} is right`;
    assert.ok(verifiedInstructions > 0 && verifiedInstructions < mostInstructions, found);
  }
}
