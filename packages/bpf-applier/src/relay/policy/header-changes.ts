import type { HeaderOperations } from "@keelson/protos/route";
import { asField } from "./field-text.ts";
import type { RawHeaders } from "./types.ts";

type Field = readonly [name: string, value: string];

/** What rules do to headers, in the order in which Envoy does it: remove, then set, then add. */
export interface HeaderChanges {
  /** In lower case. */
  readonly remove: ReadonlySet<string>;
  readonly set: readonly Field[];
  readonly add: readonly Field[];
}

const isAuthority = (name: string): boolean => [":authority", "host"].includes(name.toLowerCase());

/**
 * The authority is rewritten, other pseudo headers cannot be changed. What frames the content is none of a rule's: a
 * length that is wrong would make one request of two.
 */
const isFixed = (name: string): boolean =>
  name.startsWith(":") || ["host", "content-length", "transfer-encoding"].includes(name.toLowerCase());

/** Empty values are left out, as Envoy does unless told otherwise. */
const fields = (values: Readonly<Record<string, string>>): Field[] =>
  Object.entries(values)
    .filter(([name, value]) => !isFixed(name) && value !== "")
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => [name, asField(value)]);

/** @returns undefined where nothing is changed */
export function headerChanges(...operations: (HeaderOperations | undefined)[]): HeaderChanges | undefined {
  const given = operations.filter((one) => one !== undefined);
  const names = given.flatMap(({ remove }) => remove.filter((name) => !isFixed(name)));
  const changes = {
    remove: new Set(names.map((name) => name.toLowerCase())),
    set: given.flatMap(({ set }) => fields(set)),
    add: given.flatMap(({ add }) => fields(add)),
  };
  const none = changes.remove.size === 0 && changes.set.length === 0 && changes.add.length === 0;
  return none ? undefined : changes;
}

/** @returns the very list if nothing is changed */
export function changed(raw: RawHeaders, changes: HeaderChanges | undefined): RawHeaders {
  if (changes === undefined) return raw;
  const { remove, set, add } = changes;
  let result = remove.size === 0 ? raw : without(raw, (name) => remove.has(name));
  for (const [name, value] of set) result = withHeader(result, name, value);
  return add.length === 0 ? result : [...result, ...add.flat()];
}

function without(raw: RawHeaders, leaves: (lowerCaseName: string) => boolean): string[] {
  const kept: string[] = [];
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = raw[at] ?? "";
    if (!leaves(name.toLowerCase())) kept.push(name, raw[at + 1] ?? "");
  }
  return kept;
}

/** Put where the first of its name stood, else at the end; others of the name go. */
export function withHeader(raw: RawHeaders, name: string, value: string): string[] {
  const wanted = name.toLowerCase();
  const result: string[] = [];
  let isPut = false;
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const present = raw[at] ?? "";
    if (present.toLowerCase() !== wanted) result.push(present, raw[at + 1] ?? "");
    else if (!isPut) {
      result.push(present, value);
      isPut = true;
    }
  }
  return isPut ? result : [...result, name, value];
}

/** The Host header, where there is one, says what the authority is. */
export function withHost(raw: RawHeaders, authority: string): RawHeaders {
  for (let at = 0; at + 1 < raw.length; at += 2) {
    if (raw[at]?.toLowerCase() === "host" && raw[at + 1] !== authority)
      return withHeader(raw, "host", authority);
  }
  return raw;
}

/** The value of a header by its name in lower case; several are one list. Undefined: not there. */
export function headerOf(raw: RawHeaders, name: string): string | undefined {
  let found: string | undefined;
  for (let at = 0; at + 1 < raw.length; at += 2) {
    if (raw[at]?.toLowerCase() !== name) continue;
    found = found === undefined ? raw[at + 1] : `${found},${raw[at + 1]}`;
  }
  return found;
}

/** Setting the Host header means rewriting the authority; what is set wins over what is added. Empty: neither. */
export function authorityOf(operations: HeaderOperations | undefined): string {
  const find = (values: Readonly<Record<string, string>>): string | undefined =>
    Object.entries(values).find(([key]) => isAuthority(key))?.[1];
  return (operations && (find(operations.set) ?? find(operations.add))) ?? "";
}
