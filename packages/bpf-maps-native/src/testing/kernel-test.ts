import { test } from "vitest";
import { BpfMap } from "../bpf-map.ts";

/** Why tests on the kernel cannot run here, or undefined. */
function reasonToSkip(): string | undefined {
  if (process.getuid?.() !== 0) return "skipped: needs root";
  try {
    BpfMap.create({ type: "array", name: "probe", keySize: 4, valueSize: 4, maxEntries: 1 }).close();
    return undefined;
  } catch (error) {
    return `skipped: no BPF here: ${String(error)}`;
  }
}

const reason = reasonToSkip();

/**
 * A test on the real kernel, titled `operation: <name> - <what is shown>`: make-table.mjs makes a line of the
 * README's table of each.
 */
export function kernelTest(title: string, body: () => Promise<void> | void, timeoutMs = 30_000): void {
  test(
    `[kernel] ${title}`,
    async (context) => {
      if (reason !== undefined) context.skip(reason);
      await body();
    },
    timeoutMs,
  );
}
