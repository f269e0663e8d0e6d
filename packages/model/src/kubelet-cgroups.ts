/**
 * Where the kubelet and the container runtimes put pods in the cgroup tree, as a table of folder names. Only the names
 * below the folder of all pods count, so that a kubelet with a `--cgroup-root` (kind: `/kubelet`), or inside another
 * container, is read the same way.
 */

export type CgroupDriver = "systemd" | "cgroupfs";

/** Of Kubernetes' quality-of-service classes; guaranteed pods stand directly below the folder of all pods. */
export type QosClass = "guaranteed" | "burstable" | "besteffort";

/** What a folder stands for. */
export type CgroupRole = "pods" | "qos" | "pod" | "container";

export interface CgroupName {
  readonly role: CgroupRole;
  readonly driver: CgroupDriver;
  /**
   * The folder's name. {parent}: the parent's without ".slice". {uid}: the pod's, with systemd "_" in place of "-"; a
   * static pod's is the hash of its manifest. {root}: nothing, or `--cgroup-root` with "-" in place of "/" and one more
   * "-" behind it. {qos}: burstable or besteffort. {id}: the container's, 64 hexadecimal digits.
   */
  readonly name: string;
  /** Of containers. */
  readonly runtime?: "containerd" | "cri-o" | "docker";
  /** Project and file that make the name. */
  readonly source: string;
}

/** Tried from the first to the last. */
export const cgroupNames: readonly CgroupName[] = [
  {
    role: "pods",
    driver: "systemd",
    name: "{root}kubepods.slice",
    source: "kubernetes/kubernetes pkg/kubelet/cm/cgroup_manager_linux.go",
  },
  {
    role: "pods",
    driver: "cgroupfs",
    name: "kubepods",
    source: "kubernetes/kubernetes pkg/kubelet/cm/node_container_manager_linux.go",
  },
  {
    role: "qos",
    driver: "systemd",
    name: "{parent}-{qos}.slice",
    source: "kubernetes/kubernetes pkg/kubelet/cm/qos_container_manager_linux.go",
  },
  {
    role: "qos",
    driver: "cgroupfs",
    name: "{qos}",
    source: "kubernetes/kubernetes pkg/kubelet/cm/qos_container_manager_linux.go",
  },
  {
    role: "pod",
    driver: "systemd",
    name: "{parent}-pod{uid}.slice",
    source: "kubernetes/kubernetes pkg/kubelet/cm/pod_container_manager_linux.go",
  },
  {
    role: "pod",
    driver: "cgroupfs",
    name: "pod{uid}",
    source: "kubernetes/kubernetes pkg/kubelet/cm/pod_container_manager_linux.go",
  },
  {
    role: "container",
    driver: "systemd",
    name: "cri-containerd-{id}.scope",
    runtime: "containerd",
    source: "containerd/containerd internal/cri/server/podsandbox/helpers.go",
  },
  {
    role: "container",
    driver: "systemd",
    name: "crio-{id}.scope",
    runtime: "cri-o",
    source: "cri-o/cri-o internal/config/cgmgr/systemd_linux.go",
  },
  {
    role: "container",
    driver: "cgroupfs",
    name: "crio-{id}",
    runtime: "cri-o",
    source: "cri-o/cri-o internal/config/cgmgr/cgroupfs_linux.go",
  },
  {
    role: "container",
    driver: "systemd",
    name: "docker-{id}.scope",
    runtime: "docker",
    source: "moby/moby daemon/oci_linux.go",
  },
  {
    // Of containerd and docker: which one cannot be told.
    role: "container",
    driver: "cgroupfs",
    name: "{id}",
    source: "containerd/containerd internal/cri/server/podsandbox/helpers.go",
  },
];

/** A folder of the tree, from the folder of all pods on. */
export interface CgroupFolder {
  readonly role: CgroupRole;
  readonly driver: CgroupDriver;
  readonly name: string;
  readonly qos: QosClass;
  /** Of a pod, and of a container in it; of a static pod, what its mirror is annotated with (`kubernetes.io/config.mirror`). */
  readonly uid?: string;
  readonly container?: { readonly id: string; readonly runtime: CgroupName["runtime"] };
}

const rolesBelow: Readonly<Record<CgroupRole | "outside", readonly CgroupRole[]>> = {
  outside: ["pods"],
  pods: ["qos", "pod"],
  qos: ["pod"],
  pod: ["container"],
  container: [],
};

/** What a name has in place of a placeholder, as a regular expression. */
const placeholders: Readonly<Record<CgroupDriver, Readonly<Record<string, string>>>> = {
  systemd: {
    root: "(?:[^-]+-)*",
    qos: "(?<qos>burstable|besteffort)",
    uid: "(?<uid>[^-]+)",
    id: "(?<id>[0-9a-f]{64})",
  },
  cgroupfs: { qos: "(?<qos>burstable|besteffort)", uid: "(?<uid>.+)", id: "(?<id>[0-9a-f]{64})" },
};

const parentPlaceholder = "{parent}";

/** One expression for each name, of what stands behind the parent's. */
const patterns = cgroupNames.map((known) => {
  const body = known.name
    .replace(parentPlaceholder, "")
    .replaceAll(".", "\\.")
    .replace(/\{(\w+)\}/g, (_, placeholder: string) => placeholders[known.driver][placeholder] ?? "");
  return { ...known, hasParent: known.name.startsWith(parentPlaceholder), pattern: new RegExp(`^${body}$`) };
});

const stemOf = (folder: CgroupFolder): string => folder.name.replace(/\.slice$/, "");

/**
 * What a folder stands for.
 * @param parent the folder it is in, if that is one of these itself; undefined: outside of all pods
 * @returns undefined: none of these; outside of all pods, a folder of pods may still be below it
 */
export function readCgroupFolder(parent: CgroupFolder | undefined, name: string): CgroupFolder | undefined {
  const roles = rolesBelow[parent?.role ?? "outside"];
  for (const { role, driver, runtime, hasParent, pattern } of patterns) {
    if (!roles.includes(role) || (parent !== undefined && parent.driver !== driver)) continue;
    const before = hasParent && parent !== undefined ? stemOf(parent) : "";
    const found = name.startsWith(before) ? pattern.exec(name.slice(before.length)) : null;
    if (found === null) continue;
    const { qos = parent?.qos ?? "guaranteed", id, uid: written } = found.groups ?? {};
    const uid = (driver === "systemd" ? written?.replaceAll("_", "-") : written) ?? parent?.uid;
    return {
      role,
      driver,
      name,
      qos: qos as QosClass,
      ...(uid === undefined ? {} : { uid }),
      ...(id === undefined ? {} : { container: { id, runtime } }),
    };
  }
  return undefined;
}
