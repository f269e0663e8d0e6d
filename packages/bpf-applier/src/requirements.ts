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
    const folder = cgroup ?? (await cgroup2Mount());
    await bpffsMount();
    if (!probeProgramType("cgroup_sock_addr")) throw new Error(refused);
    return folder;
  } catch (error) {
    throw new NodeUnfit((error as BpfError | Error).message, error);
  }
}

const refused =
  "the kernel refuses programs on sockets' addresses: they need Linux 6.1 or newer with CONFIG_CGROUP_BPF, and the capabilities BPF and NET_ADMIN";
