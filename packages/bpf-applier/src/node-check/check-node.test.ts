import { expect } from "vitest";
import { kernelTest } from "../kernel.test-helper.ts";
import { cgroup2Mount } from "../pins.ts";
import { checkNode } from "./check-node.ts";
import type { Finding } from "./finding.ts";
import { judgeNeighbours } from "./judge-neighbours.ts";
import { findNeighbours } from "./neighbours.ts";
import { loadStrangers, makeCgroups } from "./strangers.test-helper.ts";

const node = "keelson-check-test";

async function besideOthers(cgroup: string): Promise<Finding[]> {
  return judgeNeighbours(findNeighbours(cgroup, await cgroup2Mount(), new Set()));
}

kernelTest("a node without others, and one that has no cgroup v2 where it is asked for", async () => {
  using cgroups = makeCgroups(await cgroup2Mount());
  const groups = await checkNode({ node, cgroup: cgroups.inner });
  expect(groups.map(({ title }) => title)).toEqual(["rights", "kernel", "places", "others on this node"]);
  expect(groups.flatMap(({ findings }) => findings).filter(({ state }) => state === "error")).toEqual([]);
  const elsewhere = (await checkNode({ node, cgroup: "/proc" })).flatMap(({ findings }) => findings);
  expect(elsewhere.find(({ check }) => check === "cgroup v2")?.state).toBe("error");
  expect(elsewhere.find(({ check }) => check === "hooks beside others")?.state).toBe("skipped");
});

kernelTest("others' programs are found on the hooks, at the cgroup itself and above it", async () => {
  using cgroups = makeCgroups(await cgroup2Mount());
  using strangers = await loadStrangers();
  using connect = strangers.program("cil_sock4_connect");
  using sendmsg = strangers.program("cil_sock4_sendmsg");
  using links = new DisposableStack();
  for (const program of [connect, sendmsg]) links.use(await program.attachCgroup(cgroups.outer));
  const [here] = await besideOthers(cgroups.outer);
  expect(here).toMatchObject({ state: "error" });
  expect(here?.found).toMatch(
    /^connect4, sendmsg4: cil_sock4_conne of Cilium at .*, where it runs before ours/,
  );
  const [above] = await besideOthers(cgroups.inner);
  expect(above).toMatchObject({ state: "ok" });
  expect(above?.found).toContain("above ours");
  const all = (await checkNode({ node, cgroup: cgroups.outer })).flatMap(({ findings }) => findings);
  expect(all).toContainEqual(here);
  expect(all.find(({ check }) => check === "kube-proxy")?.found).toMatch(/^none, replaced by Cilium/);
  expect(all.find(({ check }) => check === "other eBPF agents")?.found).toMatch(/Cilium \(\d+ cgroup_/);
});

kernelTest("what is said of a mode is what the kernel does", async () => {
  using cgroups = makeCgroups(await cgroup2Mount());
  using strangers = await loadStrangers();
  using stranger = strangers.program("stranger");
  using ours = strangers.program("cil_sock4_connect");
  const outcomes = async (cgroup: string): Promise<[state: string | undefined, attached: boolean]> => {
    const [finding] = await besideOthers(cgroup);
    const link = await ours.attachCgroup(cgroup).catch(() => undefined);
    link?.close();
    return [finding?.state, link !== undefined];
  };
  for (const [mode, here, below] of [
    ["exclusive", ["error", false], ["error", false]],
    ["override", ["error", false], ["warning", true]],
    ["multi", ["warning", true], ["warning", true]],
  ] as const) {
    const attachment = await stranger.attachCgroupAs(cgroups.outer, mode);
    expect([mode, await outcomes(cgroups.outer)]).toEqual([mode, here]);
    expect([mode, await outcomes(cgroups.inner)]).toEqual([mode, below]);
    await attachment.detach();
  }
});
