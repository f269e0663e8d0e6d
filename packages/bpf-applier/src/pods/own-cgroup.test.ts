import { expect, test } from "vitest";
import { cgroupFolderIn } from "./own-cgroup.ts";

const mount = (root: string, point: string, type: string): string =>
  `34 24 0:29 ${root} ${point} rw,nosuid - ${type} ${type} rw`;

test.each([
  [
    "on a node",
    "0::/system.slice/agent\n",
    [mount("/", "/sys/fs/cgroup", "cgroup2")],
    "/sys/fs/cgroup/system.slice/agent",
  ],
  [
    "in a pod, beside the node's whole tree",
    "0::/\n",
    [mount("/../../..", "/host/cgroup", "cgroup2"), mount("/", "/sys/fs/cgroup", "cgroup2")],
    "/sys/fs/cgroup/",
  ],
  [
    "beside v1",
    "12:pids:/a\n0::/b\n",
    [mount("/", "/sys/fs/cgroup/pids", "cgroup"), mount("/", "/sys/fs/cgroup/unified", "cgroup2")],
    "/sys/fs/cgroup/unified/b",
  ],
  ["with v1 alone", "12:pids:/a\n", [mount("/", "/sys/fs/cgroup/pids", "cgroup")], undefined],
  ["where only the node's tree is mounted", "0::/\n", [mount("/..", "/host/cgroup", "cgroup2")], undefined],
])("the own cgroup %s", (_, own, mounts, folder) => {
  expect(cgroupFolderIn(own, mounts.join("\n"))).toBe(folder);
});
