/** Header fields as they travel: name, value, name, value, … */
export type RawFields = readonly string[];

/** RFC 9110 7.6.1: fields of one connection, which end where it ends. Framing is looked at elsewhere. */
const ofOneConnection: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "upgrade",
  "http2-settings",
  "te",
]);

/** Most fields' names are of another length than any of the above: the look in the set is spared them. */
const lengths: ReadonlySet<number> = new Set([...ofOneConnection].map((name) => name.length));

/** RFC 9110 5.5; what is beyond a byte would be cut to another character, maybe a line's end. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const forbiddenInValue = /[^\t\x20-\x7e\x80-\xff]/;

/** @throws Error for a value that would make one message of two: a rule's, as what came has been looked at */
export function checkedValue(fields: RawFields, at: number): string {
  const value = fields[at + 1] as string;
  if (forbiddenInValue.test(value)) throw new Error(`${fields[at]} has a value that no header can have`);
  return value;
}

/** Lines of a head of HTTP/1.1. @throws Error as checkedValue does */
export function fieldText(fields: RawFields): string {
  let text = "";
  for (let at = 0; at < fields.length; at += 2) text += `${fields[at]}: ${checkedValue(fields, at)}\r\n`;
  return text;
}

/** The values of a field, in their order. */
export function valuesOf(fields: RawFields, lowerName: string): string[] {
  const values: string[] = [];
  for (let at = 0; at < fields.length; at += 2) {
    const name = fields[at] as string;
    if (name.length === lowerName.length && name.toLowerCase() === lowerName)
      values.push(fields[at + 1] as string);
  }
  return values;
}

export function hasField(fields: RawFields, lowerName: string): boolean {
  for (let at = 0; at < fields.length; at += 2) {
    const name = fields[at] as string;
    if (name.length === lowerName.length && name.toLowerCase() === lowerName) return true;
  }
  return false;
}

/**
 * Fields without those that are meant for one connection: the ones above, and whatever Connection names (RFC 9110 7.6.1).
 * "TE: trailers" stays (RFC 9110 10.1.4), as gRPC needs it.
 *
 * @param upgrade the message is part of a change of protocol: Upgrade stays, and Connection as far as it names it
 * @returns the same array where there is nothing to leave out
 */
export function forwardedFields(fields: RawFields, upgrade: boolean): RawFields {
  let found = false;
  for (let at = 0; at < fields.length; at += 2) {
    const name = fields[at] as string;
    found ||= lengths.has(name.length) && ofOneConnection.has(name.toLowerCase());
  }
  return found ? leaveOut(fields, upgrade) : fields;
}

/** Framing and routing cannot be taken away by naming them in Connection. */
const neverNamed: ReadonlySet<string> = new Set(["content-length", "transfer-encoding", "host", "trailer"]);

function leaveOut(fields: RawFields, upgrade: boolean): string[] {
  const named = new Set(valuesOf(fields, "connection").flatMap(optionsOf));
  const kept: string[] = [];
  for (let at = 0; at < fields.length; at += 2) {
    const name = fields[at] as string;
    const value = fields[at + 1] as string;
    const lower = name.toLowerCase();
    if (upgrade && lower === "upgrade") kept.push(name, value);
    else if (upgrade && lower === "connection") kept.push(name, "Upgrade");
    else if (
      ofOneConnection.has(lower)
        ? lower === "te" && isTrailers(value)
        : !named.has(lower) || neverNamed.has(lower)
    ) {
      kept.push(name, value);
    }
  }
  return kept;
}

const optionsOf = (value: string): string[] => value.split(",").map((option) => option.trim().toLowerCase());

const isTrailers = (value: string): boolean => value.toLowerCase() === "trailers";
