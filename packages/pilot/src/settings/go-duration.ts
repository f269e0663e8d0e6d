/** Nanoseconds in one of a unit, as Go writes units; both ways of writing micro are known. */
const units: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n,
  μs: 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
};

/** Go's longest duration, which Pilot takes for "never": 292 years. */
const longest = 2n ** 63n - 1n;

/**
 * Parses a duration as Go writes it: "1h2m3s", "1.5h", "100ms", "-1s", "0".
 * @returns milliseconds; Infinity for Go's longest duration
 * @throws Error saying what would be right
 */
export function parseGoDuration(text: string): number {
  const match = /^([+-]?)(.*)$/s.exec(text);
  const [, sign = "", rest = ""] = match ?? [];
  const nanoseconds = rest === "0" ? 0n : sum(rest);
  if (nanoseconds === undefined) {
    throw new Error(`"${text}" is no duration; use numbers with units, such as 30s, 1h30m or 100ms`);
  }
  if (nanoseconds > longest) throw new Error(`"${text}" is longer than 292 years`);
  if (nanoseconds === longest) return sign === "-" ? -Infinity : Infinity;
  const milliseconds = Number(nanoseconds) / 1e6;
  return sign === "-" ? -milliseconds : milliseconds;
}

/** @returns undefined if the text is no list of numbers with units */
function sum(text: string): bigint | undefined {
  const parts = [...text.matchAll(/(\d*)(?:\.(\d*))?(ns|us|µs|μs|ms|s|m|h)/gy)];
  const length = parts.reduce((total, [part]) => total + part.length, 0);
  if (parts.length === 0 || length !== text.length) return undefined;
  let total = 0n;
  for (const [, whole = "", fraction = "", unit = ""] of parts) {
    if (whole === "" && fraction === "") return undefined;
    const factor = units[unit] ?? 0n;
    const digits = fraction.slice(0, 18);
    total += BigInt(whole || "0") * factor + (BigInt(digits || "0") * factor) / 10n ** BigInt(digits.length);
  }
  return total;
}
