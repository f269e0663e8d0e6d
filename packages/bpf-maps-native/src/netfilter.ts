import { native } from "./native.ts";

/** A chain of the kernel's packet filter. */
export interface NetfilterChain {
  /** "ip", "ip6", "inet", "arp", "bridge", "netdev", or the number of another family. */
  readonly family: string;
  readonly table: string;
  readonly chain: string;
}

/** NFPROTO_… of linux/netfilter.h. */
const families: Readonly<Record<number, string>> = {
  1: "inet",
  2: "ip",
  3: "arp",
  5: "netdev",
  7: "bridge",
  10: "ip6",
};

/**
 * Chains of nf_tables, those of iptables in its newer form among them, in the network namespace of this process. Where
 * the kernel has nf_tables as a module, asking loads it. EPERM without CAP_NET_ADMIN there.
 */
export async function nftChains(): Promise<NetfilterChain[]> {
  const chains = await native.nftChains();
  return chains.map(({ family, table, chain }) => ({
    family: families[family] ?? String(family),
    table,
    chain,
  }));
}

/**
 * Chains of iptables in its older form, without the kernel's own, in the network namespace of this process. A table that
 * is not in use yet (/proc/net/ip_tables_names) is made by asking. EPERM without CAP_NET_ADMIN, ENOENT for no such table.
 */
export function iptablesChains(family: "ip" | "ip6", table: string): Promise<string[]> {
  return native.iptablesChains(family, table);
}
