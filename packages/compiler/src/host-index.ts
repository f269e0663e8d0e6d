/**
 * Finds what is said of a host. Names may begin with "*", which stands for at least one character (Istio: "*.example.com"
 * is for a.example.com and for a.b.example.com).
 */
export class HostIndex<T> {
  private readonly exact = new Map<string, T[]>();
  /** By what follows the "*", the longest first. */
  private readonly wildcards: readonly (readonly [suffix: string, entries: T[]])[];

  /** @param entries in the order in which they are asked */
  constructor(entries: Iterable<readonly [host: string, entry: T]>) {
    const wildcards = new Map<string, T[]>();
    for (const [host, entry] of entries) {
      if (host.startsWith("*")) append(wildcards, host.slice(1), entry);
      else append(this.exact, host, entry);
    }
    this.wildcards = [...wildcards].sort(([a], [b]) => b.length - a.length || (a < b ? -1 : 1));
  }

  /** What names the host itself first, then the longer wildcards; what has one name stays in the order given. */
  find(hostname: string): readonly T[] {
    const exact = this.exact.get(hostname) ?? [];
    const others = this.wildcards.filter(
      ([suffix]) => hostname.length > suffix.length && hostname.endsWith(suffix),
    );
    // An entry may have several names that fit.
    return others.length === 0
      ? exact
      : [...new Set([...exact, ...others.flatMap(([, entries]) => entries)])];
  }
}

function append<T>(map: Map<string, T[]>, key: string, entry: T): void {
  const known = map.get(key);
  if (known === undefined) map.set(key, [entry]);
  else known.push(entry);
}
