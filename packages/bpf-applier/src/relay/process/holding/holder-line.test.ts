import {
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { endHolder, type HolderPlace } from "bpf-maps-native";
import { afterEach, beforeEach, expect, test } from "vitest";
import { HolderLine } from "./holder-line.ts";

let folder: string;
let place: HolderPlace;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "keelson-line-"));
  place = { path: join(folder, "held"), patience: 120 };
});
afterEach(() => {
  endHolder(place.path);
  rmSync(folder, { recursive: true });
});

/** Of a file that has this text. */
function descriptorOf(text: string): number {
  const path = join(folder, text);
  writeFileSync(path, text);
  return openSync(path, "r");
}

/** Of the holder; 0: there is none. */
function holderPid(): number {
  const found = readdirSync("/proc").find((id) => {
    try {
      return readFileSync(`/proc/${id}/cmdline`, "latin1").includes(`/descriptor-holder\0${place.path}\0`);
    } catch {
      return false; // no process, or it has ended
    }
  });
  return Number(found ?? 0);
}

/** Names of the test's files that the holder has. */
function filesHeld(): string[] {
  const pid = holderPid();
  if (pid === 0) return [];
  const paths = readdirSync(`/proc/${pid}/fd`).map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`));
  return paths.filter((path) => path.startsWith(folder)).map((path) => basename(path));
}

test("what is left is the old holder's alone: a new one is not given what has its number now", async () => {
  const errors: Error[] = [];
  const { line } = await HolderLine.open(place, (error) => errors.push(error));
  const left = descriptorOf("left");
  line.hold({ kind: 1, number: 1 }, left, "");
  line.leave({ kind: 1, number: 1 });
  closeSync(left);
  const other = descriptorOf("other");
  expect(other).toBe(left);
  await expect.poll(filesHeld).toEqual(["left"]);
  process.kill(holderPid(), "SIGKILL");
  await expect.poll(holderPid).toBe(0);
  const kept = descriptorOf("kept");
  line.hold({ kind: 1, number: 2 }, kept, "");
  await expect.poll(() => filesHeld().includes("kept")).toBe(true);
  expect(filesHeld()).toEqual(["kept"]);
  expect(errors).toHaveLength(1);
  for (const fd of [other, kept]) closeSync(fd);
  line.end();
});
