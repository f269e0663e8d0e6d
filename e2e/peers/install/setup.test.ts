import { spawnSync } from "node:child_process";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { missingPeers } from "../peer-cache.ts";
import { duration, runLongCommand } from "./long-command.ts";
import { formatTable } from "./table.ts";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "keelson-setup-"));
});

afterEach(() => rm(folder, { recursive: true }));

function setup(...args: string[]) {
  const { PATH = "" } = process.env;
  return spawnSync(process.execPath, [join(import.meta.dirname, "..", "setup.ts"), ...args], {
    encoding: "utf8",
    env: { ...process.env, KEELSON_E2E_CACHE: folder, PATH: `${folder}${delimiter}${PATH}` },
  });
}

test("an unknown peer is refused, with a list of those there are", () => {
  const { status, stderr } = setup("envoi");
  expect(status).toBe(2);
  expect(stderr).toContain("there is no peer envoi");
  expect(stderr).toContain("pilot-agent");
});

test("a peer that can't be built is listed with the reason, and the exit code says so", async () => {
  await writeFile(join(folder, "go"), "#!/bin/sh\necho go1.25.9\n");
  await chmod(join(folder, "go"), 0o755);
  const { status, stdout } = setup("helm");
  expect(status).toBe(1);
  expect(stdout.trim().split("\n").at(-1)).toMatch(
    /^helm +v\S+ +missing: Go 1\.26\.0 or newer is needed to build it; found go1\.25\.9$/,
  );
});

test("a missing peer's reason is the command that brings it", async () => {
  const { KEELSON_E2E_CACHE } = process.env;
  process.env.KEELSON_E2E_CACHE = folder;
  try {
    expect(await missingPeers("envoy", "etcd")).toBe("not set up; run: npm run e2e -- setup envoy etcd");
  } finally {
    if (KEELSON_E2E_CACHE === undefined) delete process.env.KEELSON_E2E_CACHE;
    else process.env.KEELSON_E2E_CACHE = KEELSON_E2E_CACHE;
  }
});

test("a command that fails is reported with its last lines and its log", async () => {
  const run = runLongCommand({
    file: "sh",
    args: ["-c", "echo first; echo second >&2; exit 3"],
    cwd: folder,
    logFolder: folder,
    say: () => undefined,
    progress: () => "",
  });
  await expect(run).rejects.toThrow(
    new RegExp(`ended with code 3; its last lines, of ${folder}/install.log:\n(first\nsecond|second\nfirst)`),
  );
});

test("durations and tables", () => {
  expect([duration(59.4), duration(60), duration(754)]).toEqual(["59 s", "1 min 0 s", "12 min 34 s"]);
  expect(formatTable(["a", "b"], [["long", "x"]])).toBe("a     b\nlong  x");
});
