import { expect, test } from "vitest";
import { runFolder, stateFolder } from "./names.ts";

test("folders have one default, and the environment overrides it", () => {
  expect(stateFolder({})).toBe("/var/lib/keelson");
  expect(runFolder({})).toBe("/run/keelson");
  expect(stateFolder({ KEELSON_STATE_DIR: "/data" })).toBe("/data");
  expect(runFolder({ KEELSON_RUN_DIR: "/tmp/run" })).toBe("/tmp/run");
});
