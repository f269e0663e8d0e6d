import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { iptablesChains } from "./netfilter.ts";
import { kernelTest } from "./testing/kernel-test.ts";
import { makeNamespace } from "./testing/places.ts";

/** What both functions tell in another network namespace: a process of its own, as threads of a pool must not go there. */
function chainsIn(namespace: string): [newer: unknown[], older: string[], olderIp6: string[]] {
  const module = fileURLToPath(new URL("netfilter.ts", import.meta.url));
  const script = `
    const { nftChains, iptablesChains } = await import(process.argv[1]);
    const older = async (family) => iptablesChains(family, "nat").catch((error) => error.code);
    console.log(JSON.stringify([await nftChains(), await older("ip"), await older("ip6")]));`;
  const node = [process.execPath, "--input-type=module", "-e", script, module];
  return JSON.parse(inside(namespace, ...node)) as [unknown[], string[], string[]];
}

const inside = (namespace: string, ...command: string[]): string =>
  execFileSync("nsenter", [`--net=/run/netns/${namespace}`, "--", ...command], { encoding: "utf8" });

const reason = ((): string | undefined => {
  try {
    for (const kind of ["nft", "legacy"]) execFileSync(`iptables-${kind}`, ["--version"], { stdio: "pipe" });
    return undefined;
  } catch {
    return "a minimal Debian has no iptables";
  }
})();

kernelTest("operation: chains of the packet filter (nftChains) - none in a new network namespace", () => {
  using space = makeNamespace();
  expect(chainsIn(space.name)[0]).toEqual([]);
});

kernelTest(
  "operation: chains of iptables (nftChains, iptablesChains) - of both its forms, by the names they were made with",
  () => {
    using space = makeNamespace();
    for (const command of ["iptables", "ip6tables"])
      inside(space.name, `${command}-nft`, "-t", "nat", "-N", "NEWER");
    for (const name of ["OLDER", "A-CHAIN-OF-THE-LONGEST-NAME"])
      inside(space.name, "iptables-legacy", "-t", "nat", "-N", name);
    inside(space.name, "iptables-legacy", "-t", "nat", "-A", "OLDER", "-d", "192.0.2.1", "-j", "ACCEPT");
    const [newer, older] = chainsIn(space.name);
    expect(newer).toContainEqual({ family: "ip", table: "nat", chain: "NEWER" });
    expect(newer).toContainEqual({ family: "ip6", table: "nat", chain: "NEWER" });
    expect(older.toSorted()).toEqual(["A-CHAIN-OF-THE-LONGEST-NAME", "OLDER"]);
  },
  undefined,
  reason,
);

test("what names no table is refused", async () => {
  await expect(async () => iptablesChains("arp" as "ip", "nat")).rejects.toThrow("found arp");
  await expect(async () => iptablesChains("ip", "")).rejects.toThrow("table must have 1 to 31 bytes");
  await expect(async () => iptablesChains("ip", "x".repeat(32))).rejects.toThrow(RangeError);
});
