import { readFile, readlink } from "node:fs/promises";
import { iptablesChains, nftChains } from "bpf-maps-native";
import { codeOf, messageOf } from "./errors.ts";
import { error, type Finding, ok, skipped, warning } from "./finding.ts";

/** How services' addresses are translated for what Keelson leaves alone. */
export type ProxyMode = "iptables" | "ipvs" | "nftables";

export interface ProxyTraces {
  /** What kube-proxy itself says at its metrics address. */
  readonly said: string | undefined;
  /** /proc/net/ip_vs and /proc/net/dev. */
  readonly ipvsTable: string;
  readonly devices: string;
  /** "FAMILY TABLE CHAIN", of nf_tables and of ip_tables alike. */
  readonly chains: readonly string[];
  /** Whether this is the node's own network namespace; undefined: it cannot be told from here. */
  readonly inNodesNamespace: boolean | undefined;
}

/** The traces of each mode (kubernetes pkg/proxy): ipvs also makes chains of iptables' names, so it comes first. */
export function proxyModes(traces: ProxyTraces): ProxyMode[] {
  const has = (pattern: RegExp): boolean => traces.chains.some((chain) => pattern.test(chain));
  const ipvs = /^\s*kube-ipvs0:/m.test(traces.devices) || /^(TCP|UDP|SCTP|FWM) /m.test(traces.ipvsTable);
  return [
    ...(ipvs ? (["ipvs"] as const) : []),
    ...(has(/^ip6? kube-proxy /) ? (["nftables"] as const) : []),
    ...(!ipvs && has(/^ip6? nat KUBE-SERVICES$/) ? (["iptables"] as const) : []),
  ];
}

const serviceCalls =
  "calls that Keelson leaves alone are translated there; those that it has sent to an endpoint pass by";

/** @param balancers names of agents that translate services' addresses by eBPF */
export function judgeProxy(traces: ProxyTraces, balancers: readonly string[]): Finding {
  const check = "kube-proxy";
  const modes = proxyModes(traces);
  if (traces.said !== undefined) return ok(check, `${traces.said} (it says so itself): ${serviceCalls}`);
  if (modes.length === 1) return ok(check, `${modes.join()}: ${serviceCalls}`);
  if (modes.length > 1) {
    return warning(
      check,
      `traces of ${modes.join(" and ")}`,
      "one is left over from an earlier mode, and may translate by an old state: kube-proxy --cleanup removes it",
    );
  }
  if (balancers.length > 0)
    return ok(check, `none, replaced by ${balancers.join(", ")} in eBPF: see its place on the hooks above`);
  if (traces.inNodesNamespace !== true) {
    const why = traces.inNodesNamespace === false ? "is not" : "may not be";
    return skipped(check, `no trace in this network namespace, which ${why} the node's: run on the node`);
  }
  return warning(
    check,
    "no trace of it, nor of a replacement",
    "calls of services' addresses that Keelson leaves alone (without a port of its own, from outside the mesh) reach nobody",
  );
}

const orEmpty = (path: string): Promise<string> => readFile(path, "utf8").catch(() => "");

/** @throws BpfError without CAP_NET_ADMIN */
async function findProxyTraces(): Promise<ProxyTraces> {
  return {
    said: await askKubeProxy(),
    ipvsTable: await orEmpty("/proc/net/ip_vs"),
    devices: await orEmpty("/proc/net/dev"),
    chains: [
      ...(await chainsOfNfTables()),
      ...(await chainsOfIpTables("ip")),
      ...(await chainsOfIpTables("ip6")),
    ],
    inNodesNamespace: await isInNodesNamespace(),
  };
}

/** Asking a kernel that has not loaded nf_tables would load it. */
async function chainsOfNfTables(): Promise<string[]> {
  if (!(await orEmpty("/proc/kallsyms")).includes(" nf_tables_newchain")) return [];
  return (await nftChains()).map(({ family, table, chain }) => `${family} ${table} ${chain}`);
}

/** Asking for a table that nobody uses would make it. */
async function chainsOfIpTables(family: "ip" | "ip6"): Promise<string[]> {
  const tables = (await orEmpty(`/proc/net/${family}_tables_names`)).split("\n");
  if (!tables.includes("nat")) return [];
  return (await iptablesChains(family, "nat")).map((chain) => `${family} nat ${chain}`);
}

/** kube-proxy's own answer, at its usual metrics address (--metrics-bind-address), on the node only. */
async function askKubeProxy(): Promise<string | undefined> {
  try {
    const answer = await fetch("http://127.0.0.1:10249/proxyMode", { signal: AbortSignal.timeout(1_000) });
    const text = (await answer.text()).trim();
    return answer.ok && /^[a-z]{1,16}$/.test(text) ? text : undefined;
  } catch {
    return undefined;
  }
}

/** The number that the first of all PID namespaces has (linux/proc_ns.h, PROC_PID_INIT_INO). */
const firstPidNamespace = "pid:[4026531836]";

/** Only in the first PID namespace is process 1 the node's. */
async function isInNodesNamespace(): Promise<boolean | undefined> {
  try {
    if ((await readlink("/proc/self/ns/pid")) !== firstPidNamespace) return undefined;
    return (await readlink("/proc/self/ns/net")) === (await readlink("/proc/1/ns/net"));
  } catch {
    return undefined;
  }
}

/** What kube-proxy's traces mean, or why they cannot be read. */
export async function proxyFinding(balancers: readonly string[]): Promise<Finding> {
  try {
    return judgeProxy(await findProxyTraces(), balancers);
  } catch (cause) {
    if (codeOf(cause) === "EPERM")
      return skipped(
        "kube-proxy",
        "the packet filter's chains may be read with CAP_NET_ADMIN in this namespace only",
      );
    return error(
      "kube-proxy",
      messageOf(cause),
      "report it: the packet filter should be readable with CAP_NET_ADMIN",
    );
  }
}
