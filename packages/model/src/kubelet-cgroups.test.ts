import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type CgroupDriver,
  type CgroupFolder,
  cgroupNames,
  type QosClass,
  readCgroupFolder,
} from "./kubelet-cgroups.ts";

const uid = "5d2f11c0-93d2-4e5c-8f5a-0c6f2a1b9e77";
const staticUid = "0b8a3f6c2d1e4f509a7b6c5d4e3f2a1b";
const id = "4e7fc71c8bef8c05c9fb76d93a186736fca266e668722e1239fe64503b3e80d3";
const systemdUid = uid.replaceAll("-", "_");

/** The pod that a cgroup belongs to, by its path: of pods in a nested cluster the outermost, which is its node's. */
function podOfCgroup(path: string) {
  const names = path.split("/");
  let folder: CgroupFolder | undefined;
  let podsEnd = 0;
  let pod: { readonly folder: CgroupFolder; readonly end: number } | undefined;
  for (const [index, name] of names.entries()) {
    const next = readCgroupFolder(folder, name);
    if (next === undefined && folder !== undefined) break;
    folder = next;
    if (next?.role === "pods") podsEnd = index + 1;
    if (next?.role === "pod") pod = { folder: next, end: index + 1 };
  }
  if (pod?.folder.uid === undefined) return undefined;
  const { driver, qos } = pod.folder;
  return {
    uid: pod.folder.uid,
    driver,
    qos,
    podsPath: names.slice(0, podsEnd).join("/"),
    podPath: names.slice(0, pod.end).join("/"),
    ...(folder?.container === undefined ? {} : { container: folder.container }),
  };
}

describe("paths as they are found on nodes", () => {
  test.each<[string, string, CgroupDriver, QosClass, string, string | undefined]>([
    [
      "kubeadm with containerd",
      `/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod${systemdUid}.slice/cri-containerd-${id}.scope`,
      "systemd",
      "burstable",
      uid,
      "containerd",
    ],
    [
      "a guaranteed pod",
      `/kubepods.slice/kubepods-pod${systemdUid}.slice/cri-containerd-${id}.scope`,
      "systemd",
      "guaranteed",
      uid,
      "containerd",
    ],
    [
      "OpenShift, and crun's folder in the container's",
      `/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod${systemdUid}.slice/crio-${id}.scope/container`,
      "systemd",
      "besteffort",
      uid,
      "cri-o",
    ],
    [
      "kind, seen from its host",
      `/system.slice/docker-${id}.scope/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-burstable.slice/kubelet-kubepods-burstable-pod${systemdUid}.slice/cri-containerd-${id}.scope`,
      "systemd",
      "burstable",
      uid,
      "containerd",
    ],
    ["the cgroupfs driver", `/kubepods/burstable/pod${uid}/${id}`, "cgroupfs", "burstable", uid, undefined],
    ["a guaranteed pod there", `kubepods/pod${uid}`, "cgroupfs", "guaranteed", uid, undefined],
    [
      "kind with cgroupfs",
      `/docker/${id}/kubelet/kubepods/besteffort/pod${uid}/${id}`,
      "cgroupfs",
      "besteffort",
      uid,
      undefined,
    ],
    [
      "a static pod",
      `/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod${staticUid}.slice/cri-containerd-${id}.scope`,
      "systemd",
      "burstable",
      staticUid,
      "containerd",
    ],
    [
      "a cgroup namespace's view from outside its root",
      `/../../kubepods/burstable/pod${uid}/${id}`,
      "cgroupfs",
      "burstable",
      uid,
      undefined,
    ],
    [
      "docker with systemd",
      `/kubepods.slice/kubepods-pod${systemdUid}.slice/docker-${id}.scope`,
      "systemd",
      "guaranteed",
      uid,
      "docker",
    ],
  ])("%s", (_, path, driver, qos, podUid, runtime) => {
    const pod = podOfCgroup(path);
    expect(pod).toMatchObject({ driver, qos, uid: podUid });
    expect(pod?.container?.runtime).toBe(runtime);
    expect(path.startsWith(pod?.podPath ?? "-")).toBe(true);
  });

  test("a cluster inside a pod is that pod's", () => {
    const inner = `kubelet/kubepods/burstable/pod${staticUid}/${id}`;
    expect(podOfCgroup(`/kubepods/burstable/pod${uid}/${id}/${inner}`)).toMatchObject({
      uid,
      podsPath: "/kubepods",
      podPath: `/kubepods/burstable/pod${uid}`,
    });
  });
});

test.each([
  "/",
  "",
  "/system.slice/containerd.service",
  `/user.slice/user-podagra.slice`,
  `/pod${uid}`,
  "/kubepods.slice/kubepods-burstable.slice",
  `/kubepods.slice/kubepods-burstable.slice/kubepods-besteffort-pod${systemdUid}.slice`,
  `/kubepods/best/pod${uid}`,
  `/kubepods/system.slice/pod${uid}`,
  "/kubepods/pod",
  "/kubepods.slice/kubepods-pod.slice",
])("%s is of no pod", (path) => {
  expect(podOfCgroup(path)).toBeUndefined();
});

// Built as the kubelet builds it: a list of names, joined by the driver.
const kubeletPath = {
  systemd: (names: readonly string[]) => {
    const parts = names.map((name) => name.replaceAll("-", "_"));
    return parts.map((_, end) => `${parts.slice(0, end + 1).join("-")}.slice`).join("/");
  },
  cgroupfs: (names: readonly string[]) => names.join("/"),
};

const word = fc.stringMatching(/^[a-z][a-z0-9]{0,8}$/).filter((text) => text !== "kubepods");
const hex = (length: number) => fc.stringMatching(new RegExp(`^[0-9a-f]{${length}}$`));
const pods = fc.record({
  driver: fc.constantFrom<CgroupDriver>("systemd", "cgroupfs"),
  outside: fc.array(word, { maxLength: 3 }),
  root: fc.array(word, { maxLength: 2 }),
  qos: fc.constantFrom<QosClass>("guaranteed", "burstable", "besteffort"),
  uid: fc.oneof(fc.uuid(), hex(32)),
  id: hex(64),
});

test("whatever the cgroup root, every pod is found by its uid, and its containers with it", () => {
  fc.assert(
    fc.property(pods, ({ driver, outside, root, qos, uid: podUid, id: container }) => {
      const above = [...root, "kubepods"];
      const all = kubeletPath[driver](above);
      const pod = kubeletPath[driver]([...above, ...(qos === "guaranteed" ? [] : [qos]), `pod${podUid}`]);
      const at = (path: string) => [...outside, path].join("/");
      const names = cgroupNames.filter((known) => known.role === "container" && known.driver === driver);
      for (const { name, runtime } of names) {
        expect(podOfCgroup(at(`${pod}/${name.replace("{id}", container)}`))).toEqual({
          uid: podUid,
          driver,
          qos,
          podsPath: at(all),
          podPath: at(pod),
          container: { id: container, runtime },
        });
      }
      expect(podOfCgroup(at(all))).toBeUndefined();
    }),
  );
});

test("any path is read without an error, and a pod only where there is a folder of all pods", () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.string(), word, fc.constantFrom("kubepods", `pod${uid}`))), (names) => {
      const path = names.join("/");
      expect(podOfCgroup(path) === undefined || path.includes("kubepods")).toBe(true);
    }),
  );
});

test("every name of the table says which file makes it, and is read back", () => {
  for (const { role, driver, name, source } of cgroupNames) {
    expect(source).toMatch(/^[\w-]+\/[\w-]+ [\w/.-]+\.go$/);
    const parents: Record<typeof role, CgroupFolder | undefined> = {
      pods: undefined,
      qos: folder("pods", driver),
      pod: folder("pods", driver),
      container: folder("pod", driver),
    };
    const written = name
      .replace("{parent}", "kubepods")
      .replace("{root}", "")
      .replace("{qos}", "burstable")
      .replace("{uid}", "1")
      .replace("{id}", id);
    expect(readCgroupFolder(parents[role], written)).toMatchObject({ role, driver });
  }
});

const folder = (role: CgroupFolder["role"], driver: CgroupDriver): CgroupFolder => ({
  role,
  driver,
  name: driver === "systemd" ? "kubepods.slice" : "kubepods",
  qos: "guaranteed",
});
