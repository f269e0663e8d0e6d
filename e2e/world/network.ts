import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { command } from "./command.ts";
import { namespaceEtcFolder, namespaceFolder, type WorldNames } from "./names.ts";
import { inNamespaceRoot } from "./namespace-root.ts";

/** A pod's place on the bridge. */
export interface PodLink {
  readonly namespace: string;
  /** From 1; no two pods of a world share it. Names the bridge's port. */
  readonly index: number;
  readonly ipv4: string;
  readonly ipv6: string;
}

const bridge = "bridge";
const portOf = (index: number): string => `port${index}`;

/**
 * Addresses of the `index`th pod and service of a world, within 10.244/16 and 10.96/16 as kubeadm has them, and their
 * likes in IPv6. Worlds have bridges of their own, so two worlds may use the same addresses.
 */
export const podAddresses = (index: number): { ipv4: string; ipv6: string } =>
  addresses("10.244", "fd00:10:244", index);
export const serviceAddresses = (index: number): { ipv4: string; ipv6: string } =>
  addresses("10.96", "fd00:10:96", index);

function addresses(prefix4: string, prefix6: string, index: number): { ipv4: string; ipv6: string } {
  if (!Number.isInteger(index) || index < 1 || index > 65_000) {
    throw new RangeError(`a world has room for 1 to 65000 addresses, found ${index}`);
  }
  return { ipv4: `${prefix4}.${index >> 8}.${index & 0xff}`, ipv6: `${prefix6}::${index.toString(16)}` };
}

/** Runs lines of ip(8) commands in one process, inside a namespace if one is given. */
async function ip(lines: readonly string[], namespace?: string): Promise<void> {
  const where = namespace === undefined ? [] : ["-n", namespace];
  const [file, ...args] = inNamespaceRoot("ip", ...where, "-batch", "-");
  await command(file, args, `${lines.join("\n")}\n`);
}

/** Makes the namespace with the bridge. */
export async function makeBridge(names: WorldNames): Promise<void> {
  await ip([`netns add ${names.bridgeNamespace}`]);
  await ip([`link add ${bridge} type bridge`, `link set ${bridge} up`], names.bridgeNamespace);
}

/**
 * Makes each pod's namespace and plugs it into the bridge. Pods reach each other by their addresses; there is no
 * default route, so that dialling a service address fails at once where no program of ours rewrites it.
 */
export async function addPodLinks(names: WorldNames, pods: readonly PodLink[]): Promise<void> {
  if (pods.length === 0) return;
  await ip(
    pods.flatMap(({ namespace, index }) => [
      `netns add ${namespace}`,
      `link add ${portOf(index)} netns ${names.bridgeNamespace} type veth peer name eth0 netns ${namespace}`,
    ]),
  );
  await ip(
    pods.flatMap(({ index }) => [
      `link set ${portOf(index)} master ${bridge}`,
      `link set ${portOf(index)} up`,
    ]),
    names.bridgeNamespace,
  );
  await Promise.all(
    pods.map(({ namespace, ipv4, ipv6 }) =>
      ip(
        [
          "link set lo up",
          `address add ${ipv4}/16 dev eth0`,
          // Without "nodad" the address could not be used for its first second.
          `address add ${ipv6}/64 dev eth0 nodad`,
          "link set eth0 up",
        ],
        namespace,
      ),
    ),
  );
}

/** Removes a namespace; its end of the veth pair takes the other end along. */
export async function removeNamespace(namespace: string): Promise<void> {
  await ip([`netns delete ${namespace}`]);
  await rm(join(namespaceEtcFolder, namespace), { recursive: true, force: true });
}

/** Removes every namespace of a world and the files that stood in for those of /etc. */
export async function removeNetwork(names: WorldNames): Promise<void> {
  const owned = async (folder: string): Promise<string[]> =>
    (await readdir(folder).catch(() => [])).filter((name) => names.owns(name));
  const namespaces = await owned(namespaceFolder);
  if (namespaces.length > 0) await ip(namespaces.map((namespace) => `netns delete ${namespace}`));
  for (const name of await owned(namespaceEtcFolder)) {
    await rm(join(namespaceEtcFolder, name), { recursive: true, force: true });
  }
}

/** Writes the hosts file that programs in the namespace see as /etc/hosts when `ip netns exec` starts them. */
export async function writeHostsFile(namespace: string, text: string): Promise<void> {
  const folder = join(namespaceEtcFolder, namespace);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "hosts"), text);
}
