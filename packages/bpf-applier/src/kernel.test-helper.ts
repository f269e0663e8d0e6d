// Says whether tests can use the kernel of this machine, and why not.
import { existsSync } from "node:fs";
import { probeProgramType } from "bpf-maps-native";
import { test } from "vitest";

function whyNot(): string | undefined {
  if (process.getuid?.() !== 0) return "needs root";
  if (!existsSync("/sys/kernel/btf/vmlinux")) return "the kernel has no BTF";
  if (!probeProgramType("cgroup_sock_addr")) return "the kernel refuses cgroup_sock_addr programs";
  return undefined;
}

const reason = whyNot();

/** A test on the real kernel; skipped, with the reason, where that cannot be. */
export function kernelTest(name: string, body: () => Promise<void> | void): void {
  test(`[kernel] ${name}`, async (context) => {
    context.skip(reason !== undefined, reason);
    await body();
  });
}
