/** All control characters but tab and line feed. */
// oxlint-disable-next-line no-control-regex
const control = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;

const escape = (character: string): string => `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`;

/** A copy in which no text can steer a terminal: what a rule or a node says may come from someone else. */
export function printable<T>(value: T): T;
export function printable(value: unknown): unknown {
  if (typeof value === "string") return value.replaceAll(control, escape);
  if (Array.isArray(value)) return value.map((item: unknown) => printable(item));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, field]: [string, unknown]) => [printable(key), printable(field)]),
  );
}
