import { expect, test } from "vitest";
import { parseMounts } from "./mount-table.ts";

test("cgroup v2 beside v1, and a path with a space", () => {
  const table = [
    "tmpfs /sys/fs/cgroup tmpfs rw,mode=755 0 0",
    "cgroup2 /sys/fs/cgroup/unified cgroup2 rw,relatime 0 0",
    "/dev/sda1 /media/a\\040disk ext4 rw 0 0",
    "",
  ].join("\n");
  expect(parseMounts(table)).toEqual([
    { path: "/sys/fs/cgroup", type: "tmpfs" },
    { path: "/sys/fs/cgroup/unified", type: "cgroup2" },
    { path: "/media/a disk", type: "ext4" },
  ]);
});
