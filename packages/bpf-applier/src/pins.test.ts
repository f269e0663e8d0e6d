import { expect, test } from "vitest";
import { PinFolder, parseMounts } from "./pins.ts";

test("cgroup v2 is found below v1 controllers, and escaped spaces are read", () => {
  const mounts = parseMounts(
    "tmpfs /sys/fs/cgroup tmpfs rw 0 0\ncgroup /sys/fs/cgroup/cpu cgroup rw,cpu 0 0\ncgroup2 /sys/fs/cgroup/uni\\040fied cgroup2 rw 0 0\n",
  );
  expect(mounts.find((mount) => mount.type === "cgroup2")?.path).toBe("/sys/fs/cgroup/uni fied");
});

test.each(["../etc", "a/b", "", "A", "-x", "x."])(
  "node name %j is refused before it becomes a path",
  async (node) => {
    await expect(PinFolder.find(node)).rejects.toThrow(`node name "${node}"`);
  },
);
