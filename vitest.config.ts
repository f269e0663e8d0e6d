import { defineConfig } from "vitest/config";
import { LongestFirst } from "./scripts/longest-first.ts";

/** End-to-end tests that measure memory: each has the machine to itself. */
const alone = ["e2e/tests/bad-input.test.ts"];

/** A native module makes its classes once for a process: each file has one of its own. */
const binding = ["packages/bpf-maps-native/src/**/*.test.ts"];

const unit = {
  testTimeout: 60_000,
  maxWorkers: 2,
  // Conditions that tests wait for may take a while where the machine is busy.
  expect: { poll: { timeout: 10_000 } },
};

const endToEnd = { testTimeout: 120_000, hookTimeout: 120_000 };

export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
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
          exclude: ["**/node_modules/**", ...binding],
          ...unit,
          // Loading the modules again for each of 200 files would cost as much as the tests.
          isolate: false,
        },
      },
      {
        test: {
          name: "binding",
          include: binding,
          ...unit,
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
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          ...endToEnd,
          name: "e2e-alone",
          include: alone,
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
