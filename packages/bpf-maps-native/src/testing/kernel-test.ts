import { test } from "vitest";
import { BpfMap } from "../bpf-map.ts";

/** Why tests on the kernel cannot run here, or undefined. */
function reasonToSkip(): string | undefined {
  if (process.getuid?.() !== 0) return "needs root";
  try {
    BpfMap.create({ type: "array", name: "probe", keySize: 4, valueSize: 4, maxEntries: 1 }).close();
    return undefined;
  } catch (error) {
    return `no BPF here: ${String(error)}`;
  }
}

const reason = reasonToSkip();

/**
 * A test on the real kernel; skipped, with the reason, where that cannot be. A title of the form
 * `operation: <name> (<Class.method, …>) - <what is shown>` makes a line of the README's table: see operations.ts.
 * @param lacking what this test needs beside BPF and this machine has not, if so
 */
export function kernelTest(
  title: string,
  body: () => Promise<void> | void,
  timeoutMs = 30_000,
  lacking?: string,
): void {
  test(
    `[kernel] ${title}`,
    async (context) => {
      context.skip(reason !== undefined, reason);
      context.skip(lacking !== undefined, lacking);
      await body();
    },
    timeoutMs,
  );
}
