import { statfs } from "node:fs/promises";
import { codeOf } from "./errors.ts";
import { error, type Finding, ok, warning } from "./finding.ts";

/** Magic numbers of linux/magic.h. */
const magic = { cgroup2: 0x63677270, bpffs: 0xcafe4a11 } as const;

/** What kind of filesystem a folder is on: its magic number, or why that is not known. */
export async function filesystemOf(path: string): Promise<number | string> {
  try {
    // oxlint-disable-next-line no-bitwise -- the kernel's field is signed on some architectures
    return (await statfs(path)).type >>> 0;
  } catch (cause) {
    return codeOf(cause) ?? String(cause);
  }
}

const described = (filesystem: number | string): string =>
  typeof filesystem === "string" ? filesystem : `a filesystem of type 0x${filesystem.toString(16)}`;

/** @param path where callers are to be served; undefined: the mount table has no cgroup v2 */
export function judgeCgroup(path: string | undefined, filesystem: number | string): Finding {
  const check = "cgroup v2";
  if (path === undefined) {
    return error(
      check,
      "not mounted",
      "mount -t cgroup2 none /sys/fs/cgroup, or boot with systemd.unified_cgroup_hierarchy=1",
    );
  }
  if (filesystem === magic.cgroup2) return ok(check, path);
  return error(
    check,
    `${path} is not on it (${described(filesystem)})`,
    "name a folder of cgroup v2 with --cgroup; findmnt -t cgroup2 shows where it is",
  );
}

const howToMount =
  "mount -t bpf bpf /sys/fs/bpf on the node, as systemd does; the agent's pod gets that folder from there";

/**
 * An agent in a pod gets the node's folder: without the rights of a relay it may not mount there, and with them what it
 * mounts is seen by itself alone, and gone with its pod, pins and all.
 * @param path where the mount table has it, or where an agent that starts would mount it
 */
export function judgeBpffs(path: string, filesystem: number | string, isMounted: boolean): Finding {
  const check = "bpffs";
  if (isMounted && filesystem === magic.bpffs) return ok(check, path);
  if (!isMounted && typeof filesystem === "number")
    return warning(
      check,
      `not mounted at ${path}`,
      `${howToMount}; only an agent without a pod mounts it itself`,
    );
  return error(check, `${path} is none (${described(filesystem)})`, howToMount);
}
