/** A line of the log, as pino writes it; there may be further fields. */
interface Line {
  readonly time: string;
  readonly level: string;
  readonly scope?: string;
  readonly msg?: string;
  readonly err?: { readonly message?: string; readonly stack?: string };
}

/** A line of JSON as people read it: time, level, scope unless it is the default, message, fields; tabs between. */
export function textLine(json: string): string {
  const { time, level, scope, msg, err, ...fields } = JSON.parse(json) as Line;
  const { message, stack } = err ?? {};
  const parts = [time, level, ...(scope === undefined ? [] : [scope]), escaped(msg ?? message ?? "")];
  if (message !== undefined && msg !== undefined && msg !== message) parts.push(`error=${plain(message)}`);
  for (const [name, value] of Object.entries(fields)) parts.push(`${name}=${plain(value)}`);
  const trace = stack?.split("\n").map((line) => `    ${escaped(line)}\n`) ?? [];
  return `${parts.join("\t")}\n${trace.join("")}`;
}

/** Nothing that a peer or a file said can look like a line, or a field, of its own. */
const plain = (value: unknown): string =>
  typeof value === "string" && /^[^\s"=\\\p{C}]+$/u.test(value) ? value : escaped(JSON.stringify(value));

/** JSON leaves some control characters as they are. */
const escaped = (text: string): string =>
  text.replaceAll(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
    (character) => shortEscapes[character] ?? codeOf(character),
  );

const shortEscapes: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

const codeOf = (character: string): string =>
  `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`;
