import type { PodCgroups } from "../world/pod-request.ts";

/** A kubelet and a container runtime, by where they put a pod. */
export interface KubeletLayout {
  readonly name: string;
  /** A static pod's uid is the hash of its manifest. */
  readonly isStatic?: boolean;
  /** The folder of all pods. */
  readonly pods: string;
  readonly cgroups: (uid: string) => PodCgroups;
}

type Driver = (names: readonly string[]) => string;

/** systemd: a slice for each step, named after all of them. */
const systemd: Driver = (names) => {
  const escaped = names.map((name) => name.replaceAll("-", "_"));
  return escaped.map((_, last) => `${escaped.slice(0, last + 1).join("-")}.slice`).join("/");
};

const cgroupfs: Driver = (names) => names.join("/");

interface LayoutParts {
  readonly name: string;
  readonly driver: Driver;
  /** What stands around the kubelet's tree, such as the container that it runs in. */
  readonly outside?: string;
  /** The kubelet's --cgroup-root. */
  readonly root?: readonly string[];
  /** Guaranteed pods have none. */
  readonly qos?: "burstable" | "besteffort";
  readonly container: (id: string) => string;
  readonly isStatic?: boolean;
}

function layout({ name, driver, outside, root = [], qos, container, isStatic }: LayoutParts): KubeletLayout {
  const within = (path: string): string => (outside === undefined ? path : `${outside}/${path}`);
  const above = [...root, "kubepods"];
  return {
    name,
    ...(isStatic === undefined ? {} : { isStatic }),
    pods: within(driver(above)),
    cgroups: (uid) => {
      const pod = within(driver([...above, ...(qos === undefined ? [] : [qos]), `pod${uid}`]));
      return { pod, container: `${pod}/${container(containerId(uid))}` };
    },
  };
}

const containerId = (uid: string): string => uid.replaceAll("-", "").padEnd(64, "0");

const containerd = (id: string): string => `cri-containerd-${id}.scope`;

/** Every way that the kubelet and the common runtimes have. */
export const layouts: readonly KubeletLayout[] = [
  layout({ name: "systemd, containerd", driver: systemd, qos: "burstable", container: containerd }),
  layout({
    name: "systemd, guaranteed, CRI-O",
    driver: systemd,
    container: (id) => `crio-${id}.scope/container`,
  }),
  layout({
    name: "systemd, docker",
    driver: systemd,
    qos: "besteffort",
    container: (id) => `docker-${id}.scope`,
  }),
  layout({ name: "cgroupfs", driver: cgroupfs, qos: "burstable", container: (id) => id }),
  layout({ name: "cgroupfs, guaranteed, CRI-O", driver: cgroupfs, container: (id) => `crio-${id}` }),
  layout({ name: "kind", driver: systemd, root: ["kubelet"], qos: "besteffort", container: containerd }),
  layout({
    name: "kind, from its host",
    driver: systemd,
    outside: `system.slice/docker-${"e".repeat(64)}.scope`,
    root: ["kubelet"],
    qos: "burstable",
    container: containerd,
  }),
  layout({
    name: "kind, cgroupfs",
    driver: cgroupfs,
    root: ["kubelet"],
    qos: "besteffort",
    container: (id) => id,
  }),
  layout({ name: "a static pod", driver: systemd, qos: "burstable", container: containerd, isStatic: true }),
];

/** Any of them, by a number. */
export function layoutAt(index: number): KubeletLayout {
  const found = layouts[index % layouts.length];
  if (found === undefined) throw new RangeError(`there is no layout ${index}`);
  return found;
}
