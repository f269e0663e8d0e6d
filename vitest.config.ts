import { defineConfig } from "vitest/config";

/** End-to-end tests that measure time or memory: each has the machine to itself. */
const alone = ["e2e/tests/bad-input.test.ts", "e2e/tests/bench.test.ts", "e2e/tests/push.test.ts"];

const endToEnd = { testTimeout: 120_000, hookTimeout: 120_000 };

export default defineConfig({
  test: {
    reporters: ["default", "./scripts/test-reporter.ts"],
    projects: [
      {
        test: {
          name: "unit",
          include: [
            "packages/*/src/**/*.test.ts",
            "protos/src/**/*.test.ts",
            "bpf/**/*.test.ts",
            "scripts/**/*.test.ts",
          ],
          exclude: ["**/node_modules/**"],
          testTimeout: 30_000,
          // Conditions that tests wait for may take a while where the machine is busy.
          expect: { poll: { timeout: 10_000 } },
        },
      },
      {
        test: {
          ...endToEnd,
          name: "e2e",
          include: ["e2e/**/*.test.ts"],
          exclude: ["**/node_modules/**", ...alone],
          // Most of their time they wait for other programs.
          maxWorkers: 3,
        },
      },
      {
        test: {
          ...endToEnd,
          name: "e2e-alone",
          include: alone,
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
