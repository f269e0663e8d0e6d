import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { MeshConfigFile } from "./mesh-config-file.ts";

const patience = { timeout: 20_000, interval: 5 };

async function follow(path: string): Promise<MeshConfigFile> {
  const watching = { quietMs: 5, rescanMs: 50 };
  const file = new MeshConfigFile({ path, domain: "cluster.local", watching });
  await file.start(() => undefined);
  onTestFinished(() => file.close());
  return file;
}

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "keelson-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

test("the file is followed; without it, the defaults hold", async () => {
  const path = join(newFolder(), "mesh");
  const file = await follow(path);
  expect(file.content).toMatchObject({ mesh: { trustDomain: "cluster.local" }, problems: [] });
  writeFileSync(path, "trustDomain: example.org\n");
  await vi.waitUntil(() => file.content.mesh.trustDomain === "example.org", patience);
  rmSync(path);
  await vi.waitUntil(() => file.content.mesh.trustDomain === "cluster.local", patience);
});

test("a file that is no YAML any more is told, and changes nothing", async () => {
  const path = join(newFolder(), "mesh");
  writeFileSync(path, "trustDomain: example.org\n");
  const file = await follow(path);
  expect(file.content.mesh.trustDomain).toBe("example.org");
  writeFileSync(path, "trustDomain: [\n");
  await vi.waitUntil(() => file.content.problems.length > 0, patience);
  expect(file.content.mesh.trustDomain).toBe("example.org");
  expect(file.content.problems[0]?.message).toMatch(/; what was there before counts$/);
  writeFileSync(path, "trustDomain: example.com\n");
  await vi.waitUntil(() => file.content.mesh.trustDomain === "example.com", patience);
  expect(file.content.problems).toEqual([]);
});

test("what is no file is told once", async () => {
  const path = join(newFolder(), "mesh");
  mkdirSync(path);
  const changes: string[] = [];
  const file = new MeshConfigFile({ path, domain: "cluster.local", watching: { quietMs: 5, rescanMs: 5 } });
  await file.start(() => changes.push("change"));
  onTestFinished(() => file.close());
  expect(file.content).toMatchObject({
    mesh: { trustDomain: "cluster.local" },
    problems: [{ severity: "error", location: { file: path }, message: expect.stringContaining("EISDIR") }],
  });
  rmSync(path, { recursive: true });
  writeFileSync(path, "trustDomain: example.org\n");
  await vi.waitUntil(() => file.content.mesh.trustDomain === "example.org", patience);
  expect(changes).toEqual(["change"]);
});
