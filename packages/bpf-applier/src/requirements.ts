import { statfs } from "node:fs/promises";
import { type BpfError, probeProgramType } from "bpf-maps-native";
import { bpffsMount, cgroup2Mount } from "./pins.ts";

/** A kernel, or what a container may do to it, that is not enough for any program of ours. */
export class NodeUnfit extends Error {
  constructor(reason: string, cause?: unknown) {
    super(reason, { cause });
    this.name = "NodeUnfit";
  }
}

/**
 * @param cgroup as given; undefined: cgroup v2's root
 * @returns the cgroup v2 folder to look for pods in
 * @throws NodeUnfit saying what the node lacks
 */
export async function cgroupFolder(cgroup: string | undefined): Promise<string> {
  try {
    const folder = cgroup === undefined ? await cgroup2Mount() : await cgroup2Folder(cgroup);
    await bpffsMount();
    if (!probeProgramType("cgroup_sock_addr")) throw new Error(refused);
    return folder;
  } catch (error) {
    throw new NodeUnfit((error as BpfError | Error).message, error);
  }
}

/** CGROUP2_SUPER_MAGIC of linux/magic.h. */
const cgroup2Magic = 0x63677270;

async function cgroup2Folder(path: string): Promise<string> {
  const { type } = await statfs(path).catch((error: Error) => {
    throw new Error(`--cgroup=${path}: ${error.message}`);
  });
  if (type !== cgroup2Magic) throw new Error(`--cgroup=${path} is no folder of cgroup v2`);
  return path;
}

const refused =
  "the kernel refuses programs on sockets' addresses: they need Linux 6.1 or newer with CONFIG_CGROUP_BPF, and the capabilities BPF and NET_ADMIN";
