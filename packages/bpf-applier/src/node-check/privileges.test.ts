import { expect, test } from "vitest";
import {
  canLoad,
  capabilitiesIn,
  judgeCapabilities,
  judgeJit,
  judgeLockdown,
  judgeLockedMemory,
  judgeRelayRights,
  judgeUnprivileged,
} from "./privileges.ts";

/** /proc/self/status of a process with these bits. */
const status = (mask: string): string => `Name:\tnode\nCapPrm:\t0000000000000000\nCapEff:\t${mask}\n`;

test.each([
  ["0000000000000000", [], false],
  ["0000008000001000", ["NET_ADMIN", "BPF"], true],
  ["0000008000000000", ["BPF"], false],
  ["0000000000200000", ["SYS_ADMIN"], true],
  ["000001ffffffffff", ["NET_ADMIN", "SYS_PTRACE", "SYS_ADMIN", "PERFMON", "BPF"], true],
] as const)("CapEff %s: %j", (mask, names, loads) => {
  const held = capabilitiesIn(status(mask));
  expect([...held]).toEqual([...names]);
  expect(canLoad(held)).toBe(loads);
  expect(judgeCapabilities(held).state).toBe(loads ? "ok" : "error");
});

test("what a relay lacks to enter the networks of pods is named", () => {
  expect(judgeRelayRights(new Set(["SYS_ADMIN", "SYS_PTRACE"])).found).toBe(
    "can be entered, as a relay must",
  );
  expect(judgeRelayRights(new Set(["BPF", "SYS_ADMIN"])).found).toContain("without SYS_PTRACE;");
});

test("a status without capabilities is refused", () => {
  expect(() => capabilitiesIn("Name:\tnode\n")).toThrow("has no line CapEff");
});

test("settings of the kernel that should be known", () => {
  expect([undefined, "0", "1", "2"].map((value) => judgeUnprivileged(value).state)).toEqual([
    "ok",
    "warning",
    "ok",
    "ok",
  ]);
  expect(judgeLockdown("none [integrity] confidentiality")).toMatchObject({
    state: "ok",
    found: "integrity",
  });
  expect(judgeLockdown("none integrity [confidentiality]").state).toBe("warning");
  expect([undefined, "0", "1", "2"].map((value) => judgeJit(value).state)).toEqual([
    "ok",
    "warning",
    "ok",
    "ok",
  ]);
});

test("locked memory counts only where maps are not charged to a cgroup", () => {
  const limits = (soft: string): string =>
    `Limit  Soft Limit  Hard Limit  Units\nMax locked memory  ${soft}  8388608  bytes\n`;
  expect(judgeLockedMemory(limits("65536"), true).state).toBe("ok");
  expect(judgeLockedMemory(limits("unlimited"), false).state).toBe("ok");
  expect(judgeLockedMemory(limits("65536"), false)).toMatchObject({
    state: "warning",
    found: "maps are charged against a limit of 65536 bytes",
  });
});
