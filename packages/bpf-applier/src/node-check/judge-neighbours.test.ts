import { expect, test } from "vitest";
import { judgeLoaded, judgeNeighbours, shortHook } from "./judge-neighbours.ts";
import { knownAgent } from "./known-agents.ts";
import type { Neighbours } from "./neighbours.ts";

const root = "/sys/fs/cgroup";

const at = (part: Partial<Neighbours>, ...names: (string | undefined)[]): Neighbours => ({
  hook: "cgroup_inet4_connect",
  cgroup: root,
  level: 0,
  mode: "multi",
  runsAfter: false,
  programs: names.map((name, index) => ({ id: 7 + index, name })),
  ...part,
});

/** Short enough for a table: state and beginning of what is found, of each line. */
const judged = (...neighbours: Neighbours[]): string[] =>
  judgeNeighbours(neighbours).map(({ state, found }) => `${state} ${found}`);

test("nobody else", () => {
  expect(judged()).toEqual(["ok no other program on the hooks of the connect tier"]);
});

test("one that balances services itself hides them from programs after it", () => {
  const [finding] = judgeNeighbours([
    at({}, "cil_sock4_conne"),
    at({ hook: "cgroup_udp4_sendmsg" }, "cil_sock4_sendm"),
  ]);
  expect(finding?.state).toBe("error");
  expect(finding?.found).toMatch(
    /^connect4, sendmsg4: cil_sock4_conne of Cilium at \/sys\/fs\/cgroup, where it runs before ours/,
  );
  expect(finding?.advice).toMatch(/kubepods\.slice.*socketLB\.enabled=false/);
});

test("above ours it runs afterwards, on an endpoint's address", () => {
  expect(judged(at({ level: 1 }, "cil_sock4_conne"))[0]).toMatch(/^ok connect4: .* above ours/);
  expect(judged(at({ level: 1 }, "stranger"))[0]).toMatch(/^warning connect4: stranger at .* above ours/);
});

test("at the same cgroup but attached later, it runs afterwards, too", () => {
  expect(judged(at({ runsAfter: true }, "cil_sock4_conne"))[0]).toMatch(
    /^ok connect4: .* attached after ours/,
  );
});

test("one that is harmless, one that is not known, one without a name", () => {
  expect(judged(at({}, "sd_bind4"))[0]).toMatch(/^ok connect4: sd_bind4 of systemd/);
  expect(judged(at({}, "stranger"))[0]).toMatch(/^warning connect4: stranger at/);
  expect(judged(at({}, undefined))[0]).toMatch(/^warning connect4: program 7 at/);
  expect(judgeNeighbours([at({}, undefined)])[0]?.advice).toMatch(/Run as root on the node to see its name$/);
});

test("modes that keep others out", () => {
  expect(judged(at({ mode: "exclusive" }, "sd_bind4"))[0]).toMatch(
    /^error .*nobody else may be, here or below/,
  );
  expect(judged(at({ mode: "exclusive", level: 2 }, "sd_bind4"))[0]).toMatch(/^error /);
  expect(judged(at({ mode: "override" }, "sd_bind4"))[0]).toMatch(/^error .*only one may be here/);
  expect(judged(at({ mode: "override", level: 1 }, "sd_bind4"))[0]).toMatch(/^warning .*takes its place/);
});

test("only the nearest cgroup with a program decides who may be below", () => {
  const lines = judged(
    at({ level: 1, cgroup: `${root}/a` }, "sd_bind4"),
    at({ level: 2, mode: "exclusive" }, "sd_bind4"),
  );
  expect(lines.map((line) => line.split(" ")[0])).toEqual(["ok", "ok"]);
});

test.each([
  ["cil_sock4_conne", "Cilium", true],
  ["sock6_sendmsg", "Cilium", true],
  ["cil_from_contai", "Cilium", false],
  ["calico_connect_", "Calico", true],
  ["cali_ctlb_v4", "Calico", true],
  ["cgroup_connect4", "Kmesh", true],
  ["sd_fw_egress", "systemd", false],
  ["keelson_connect", "another Keelson", true],
  ["stranger", undefined, undefined],
])("%s: %s", (program, name, balances) => {
  const agent = knownAgent(program);
  expect([agent?.name, agent?.balances]).toEqual([name, balances]);
});

test("agents by what they have loaded anywhere", () => {
  expect(judgeLoaded(undefined).state).toBe("skipped");
  const programs = [
    { name: "cil_from_contai", type: "sched_cls" },
    { name: "cil_to_containe", type: "sched_cls" },
    { name: "cil_sock4_conne", type: "cgroup_sock_addr" },
    { name: "other", type: "xdp" },
  ];
  expect(judgeLoaded(programs).found).toBe("Cilium (2 sched_cls, 1 cgroup_sock_addr)");
  expect(judgeLoaded(programs.slice(3)).found).toBe("none that is known among 1 programs in the kernel");
});

test("hooks by their short names", () => {
  expect(["cgroup_inet4_connect", "cgroup_udp6_recvmsg", "sk_msg_verdict"].map(shortHook)).toEqual([
    "connect4",
    "recvmsg6",
    "sk_msg_verdict",
  ]);
});
