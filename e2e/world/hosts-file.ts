/** A name, the addresses it stands for, and other names for the same. */
export interface HostEntry {
  readonly names: readonly string[];
  readonly addresses: readonly string[];
}

/** The names that resolve a service in the cluster's domain, the shortest first. */
export function serviceNames(name: string, namespace: string, domain: string): string[] {
  return [name, `${name}.${namespace}`, `${name}.${namespace}.svc`, `${name}.${namespace}.svc.${domain}`];
}

/** A hosts(5) file: loopback and the entries, one line per address. */
export function hostsFile(entries: readonly HostEntry[]): string {
  const lines = entries.flatMap(({ names, addresses }) =>
    addresses.map((address) => `${address}\t${names.join(" ")}`),
  );
  return `${["127.0.0.1\tlocalhost", "::1\tlocalhost ip6-localhost ip6-loopback", ...lines].join("\n")}\n`;
}
