import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Logger } from "pino";
import { expect, onTestFinished, test, vi } from "vitest";
import type { JournalUpdate } from "./policy-journal.ts";
import { SavedPolicy } from "./saved-policy.ts";

const first: JournalUpdate = { typeUrl: "t", added: [{ name: "a", version: "1" }] };
const second: JournalUpdate = { typeUrl: "t", added: [{ name: "b", version: "2" }] };

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "keelson-saved-"));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

/** What it logs, by level. */
function saved(path: string, held: JournalUpdate[]): { policy: SavedPolicy; log: string[] } {
  const log: string[] = [];
  const logs = (level: string) => (_: object, text: string) => log.push(`${level}: ${text}`);
  const logger = { info: logs("info"), warn: logs("warn"), error: logs("error") } as unknown as Logger;
  return { policy: new SavedPolicy({ path, content: () => held, logger }), log };
}

async function namesAt(path: string): Promise<string[]> {
  const { policy } = saved(path, []);
  const names = (await policy.read()).flatMap(({ added }) => added.map(({ name }) => name));
  await policy.close();
  return names;
}

test("what was appended is read by the next one, and what was taken back is not", async () => {
  const path = join(folder(), "n1", "policy.journal");
  const { policy, log } = saved(path, []);
  expect(await policy.read()).toEqual([]);
  await policy.append(first);
  await (await policy.append(second))();
  await policy.close();
  expect(await namesAt(path)).toEqual(["a"]);
  expect(log).toEqual([]);
});

test("a disk that takes nothing is said once, and once that all is saved again", async () => {
  vi.useFakeTimers({ toFake: ["performance"] });
  onTestFinished(() => void vi.useRealTimers());
  const parent = folder();
  const blocked = join(parent, "n1");
  writeFileSync(blocked, "no folder");
  const path = join(blocked, "policy.journal");
  const { policy, log } = saved(path, [first, second]);
  expect(await policy.read()).toEqual([]);
  for (const update of [first, second]) {
    await policy.append(update);
    vi.advanceTimersByTime(60_000);
    await policy.keep();
  }
  expect(log).toEqual([expect.stringMatching(/^error: the policy cannot be saved on this node/)]);
  expect(policy.unsavedBecause).toContain("n1");
  rmSync(blocked);
  await policy.keep();
  expect(policy.unsavedBecause).toBeDefined(); // It is not tried all the time.
  vi.advanceTimersByTime(60_000);
  await policy.keep();
  expect(policy.unsavedBecause).toBeUndefined();
  expect(log.slice(1)).toEqual(["info: the policy is saved again"]);
  await policy.close();
  expect(await namesAt(path)).toEqual(["a", "b"]);
});

test("what could not be read stays until there is something newer", async () => {
  vi.useFakeTimers({ toFake: ["performance"] });
  onTestFinished(() => void vi.useRealTimers());
  const parent = folder();
  const path = join(parent, "policy.journal");
  // Links that lead to each other cannot be opened, whoever asks.
  symlinkSync(path, path);
  const { policy } = saved(path, [first]);
  expect(await policy.read()).toEqual([]);
  vi.advanceTimersByTime(60_000);
  await policy.keep();
  expect(() => readFileSync(path)).toThrow("ELOOP");
  await policy.append(first);
  await policy.keep();
  expect(await namesAt(path)).toEqual(["a"]);
  await policy.close();
});
