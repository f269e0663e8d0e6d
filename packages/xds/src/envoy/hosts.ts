/**
 * Hostnames with wildcards, as Istio compares them: "*" is everything, "*.example.com" whatever ends in
 * ".example.com"; a wildcard is a leading star.
 */
export const isWildcard = (host: string): boolean => host.startsWith("*");

/** Whether every name that `host` stands for is among those of `pattern`. */
export function isSubsetOf(host: string, pattern: string): boolean {
  if (!isWildcard(pattern)) return host === pattern;
  const suffix = pattern.slice(1);
  if (!isWildcard(host)) return host.endsWith(suffix);
  return host.slice(1).endsWith(suffix);
}

/** Whether one of them holds the other. */
export const overlap = (a: string, b: string): boolean => isSubsetOf(a, b) || isSubsetOf(b, a);

/** The narrower of two overlapping hosts; undefined if they share no name. */
export function intersect(a: string, b: string): string | undefined {
  if (isSubsetOf(a, b)) return a;
  return isSubsetOf(b, a) ? b : undefined;
}

/** Sorts the most specific first: exact names, then wildcards, the longest first. */
export function compareSpecificity(a: string, b: string): number {
  if (isWildcard(a) !== isWildcard(b)) return isWildcard(a) ? 1 : -1;
  return b.length - a.length || (a < b ? -1 : Number(a > b));
}

/** Whether all of `wanted` are among `labels`. */
export const includesLabels = (
  labels: Readonly<Record<string, string>>,
  wanted: Readonly<Record<string, string>>,
): boolean => Object.entries(wanted).every(([key, value]) => labels[key] === value);
