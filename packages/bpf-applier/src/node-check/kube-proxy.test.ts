import { expect, test } from "vitest";
import { judgeProxy, type ProxyMode, type ProxyTraces, proxyModes } from "./kube-proxy.ts";

const none: ProxyTraces = {
  said: undefined,
  ipvsTable: "IP Virtual Server version 1.2.1 (size=4096)\nProt LocalAddress:Port Scheduler Flags\n",
  devices: "    lo: 0 0\n  eth0: 1 1\n",
  chains: ["ip filter INPUT"],
  inNodesNamespace: true,
};

const iptables = { chains: ["ip nat PREROUTING", "ip nat KUBE-SERVICES"] };
const ipvs = { devices: `${none.devices}kube-ipvs0: 0 0\n` };
const nftables = { chains: ["ip kube-proxy services"] };

const cases: [string, Partial<ProxyTraces>, ProxyMode[]][] = [
  ["no trace", {}, []],
  ["chains of iptables", iptables, ["iptables"]],
  ["chains of ip6tables", { chains: ["ip6 nat KUBE-SERVICES"] }, ["iptables"]],
  ["ipvs by its device, which has chains, too", { ...iptables, ...ipvs }, ["ipvs"]],
  ["ipvs by its table", { ipvsTable: `${none.ipvsTable}TCP  0A600001:01BB rr\n` }, ["ipvs"]],
  ["a table of nf_tables", nftables, ["nftables"]],
  ["two at once", { ...nftables, ...ipvs }, ["ipvs", "nftables"]],
];

test.each(cases)("%s", (_, traces, modes) => {
  expect(proxyModes({ ...none, ...traces })).toEqual(modes);
});

test.each([
  ["its own word", { said: "nftables" }, [], "ok", "nftables (it says so itself)"],
  ["one mode", iptables, [], "ok", "iptables: calls that"],
  ["two modes", { ...nftables, ...ipvs }, [], "warning", "traces of ipvs and nftables"],
  ["a replacement", {}, ["Cilium"], "ok", "none, replaced by Cilium"],
  ["nothing on the node", {}, [], "warning", "no trace of it"],
  ["nothing in a pod", { inNodesNamespace: false }, [], "skipped", "which is not the node's"],
  ["nothing somewhere", { inNodesNamespace: undefined }, [], "skipped", "which may not be the node's"],
] as const)("%s", (_, traces, balancers, state, found) => {
  const finding = judgeProxy({ ...none, ...traces }, balancers);
  expect(finding.state).toBe(state);
  expect(finding.found).toContain(found);
});
