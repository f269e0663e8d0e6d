import { expect, test } from "vitest";
import { filesystemOf, judgeBpffs, judgeCgroup } from "./places.ts";

const cgroup2 = 0x63677270;
const bpffs = 0xcafe4a11;
const tmpfs = 0x01021994;

test("cgroup v2: mounted, elsewhere, nowhere", () => {
  expect(judgeCgroup("/sys/fs/cgroup", cgroup2)).toMatchObject({ state: "ok", found: "/sys/fs/cgroup" });
  expect(judgeCgroup("/tmp", tmpfs)).toMatchObject({
    state: "error",
    found: "/tmp is not on it (a filesystem of type 0x1021994)",
  });
  expect(judgeCgroup("/none", "ENOENT")).toMatchObject({
    state: "error",
    found: "/none is not on it (ENOENT)",
  });
  expect(judgeCgroup(undefined, "")).toMatchObject({ state: "error", found: "not mounted" });
});

test("bpffs: mounted, still to be mounted, no place for it", () => {
  expect(judgeBpffs("/sys/fs/bpf", bpffs, true).state).toBe("ok");
  expect(judgeBpffs("/sys/fs/bpf", tmpfs, false)).toMatchObject({
    state: "warning",
    found: "not mounted at /sys/fs/bpf",
    advice: expect.stringContaining("mount -t bpf bpf /sys/fs/bpf on the node"),
  });
  expect(judgeBpffs("/sys/fs/bpf", "ENOENT", false).state).toBe("error");
});

test("a folder's filesystem, or why it is not known", async () => {
  expect(await filesystemOf("/proc")).toBe(0x9fa0);
  expect(await filesystemOf("/proc/none")).toBe("ENOENT");
});
