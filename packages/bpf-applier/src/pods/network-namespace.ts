import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

/** A container's own cgroups below a pod's: pod, container, and what runs inside may make some, too. */
const deepest = 4;

/** How many processes are asked before it is given up: one that ends meanwhile tells nothing. */
const mostProcesses = 8;

/**
 * The network namespace of a cgroup's processes, by its inode number (namespaces(7)).
 * @returns undefined: there are none, or they cannot be seen from here, such as from a container without the node's processes
 */
export function networkNamespaceOf(cgroup: string): bigint | undefined {
  for (const process of processesOf(cgroup)) {
    const found = inode(`/proc/${process}/ns/net`);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Ids of a cgroup's processes, and of those in cgroups below it: the first few, as all of a pod are in one network. */
export function* processesOf(cgroup: string): Generator<number> {
  let told = 0;
  for (const process of processesIn(cgroup, 0)) {
    yield process;
    told += 1;
    if (told >= mostProcesses) return;
  }
}

/** Of this process and of the first one of its machine or container: a node's, where they are its own. */
export function ownNetworkNamespaces(): ReadonlySet<bigint> {
  const found = ["/proc/self/ns/net", "/proc/1/ns/net"].map(inode);
  return new Set(found.filter((namespace) => namespace !== undefined));
}

/** Those of other process namespaces are listed as 0. */
function* processesIn(cgroup: string, depth: number): Generator<number> {
  try {
    for (const line of readFileSync(join(cgroup, "cgroup.procs"), "utf8").split("\n")) {
      if (Number(line) > 0) yield Number(line);
    }
    if (depth === deepest) return;
    for (const entry of readdirSync(cgroup, { withFileTypes: true })) {
      if (entry.isDirectory()) yield* processesIn(join(cgroup, entry.name), depth + 1);
    }
  } catch {
    // It is gone, or holds threads of a process that is listed above it.
  }
}

function inode(path: string): bigint | undefined {
  try {
    return statSync(path, { bigint: true }).ino;
  } catch {
    return undefined;
  }
}
