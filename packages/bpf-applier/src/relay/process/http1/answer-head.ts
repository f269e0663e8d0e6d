import type { AnswerFraming, ResponseHead } from "../message.ts";

/** What came is no HTTP/1.x answer, or one that could be read in two ways. */
export class MalformedAnswer extends Error {}

const statusLine = /^HTTP\/1\.([01]) ([1-9]\d\d)(?: ([\t\x20-\x7e\x80-\xff]*))?$/;
const fieldName = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const forbiddenInValue = /[^\t\x20-\x7e\x80-\xff]/;
const decimal = /^\d{1,15}$/;

/** A head without the line that ends it. */
export function readHead(text: string): { readonly head: ResponseHead; readonly isHttp11: boolean } {
  const lines = text.split("\r\n");
  const [, minor, code = "", reason = ""] = statusLine.exec(lines[0] ?? "") ?? [];
  if (minor === undefined) throw new MalformedAnswer(`"${(lines[0] ?? "").slice(0, 80)}" is no status line`);
  return { head: { status: Number(code), reason, rawHeaders: fieldsOf(lines, 1) }, isHttp11: minor === "1" };
}

export const readTrailers = (text: string): string[] => fieldsOf(text.split("\r\n"), 0);

function fieldsOf(lines: readonly string[], from: number): string[] {
  const fields: string[] = [];
  for (let at = from; at < lines.length; at++) {
    const line = lines[at] ?? "";
    const colon = line.indexOf(":");
    const name = line.slice(0, Math.max(colon, 0));
    const value = line.slice(colon + 1);
    if (!fieldName.test(name) || forbiddenInValue.test(value)) {
      throw new MalformedAnswer(`"${line.slice(0, 80)}" is no header field`);
    }
    fields.push(name, trimBlanks(value));
  }
  return fields;
}

/** Blanks are SP and HTAB (RFC 9110 5.6.3); String.trim would take 0xa0, too. */
function trimBlanks(text: string): string {
  let from = 0;
  let to = text.length;
  while (from < to && isBlank(text.charCodeAt(from))) from++;
  while (to > from && isBlank(text.charCodeAt(to - 1))) to--;
  return text.slice(from, to);
}

const isBlank = (code: number): boolean => code === 32 || code === 9;

interface Framing {
  readonly framing: AnswerFraming;
  readonly length: number;
  /** Values of Connection, lower case. */
  readonly connection: string;
}

/** RFC 9112 6.3. */
export function framingOf({ status, rawHeaders }: ResponseHead, method: string): Framing {
  let length: string | undefined;
  let coding: string | undefined;
  let connection = "";
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? "";
    // Most names are not as long as any of the three that count.
    if (name.length !== 14 && name.length !== 17 && name.length !== 10) continue;
    const value = rawHeaders[at + 1] ?? "";
    const lower = name.toLowerCase();
    if (lower === "content-length") {
      if (length !== undefined) throw new MalformedAnswer("it has two Content-Lengths");
      length = value;
    } else if (lower === "transfer-encoding") {
      if (coding !== undefined) throw new MalformedAnswer("it has two Transfer-Encodings");
      coding = value.toLowerCase();
    } else if (lower === "connection") connection += `,${value.toLowerCase()}`;
  }
  if (length !== undefined && !decimal.test(length))
    throw new MalformedAnswer(`"${length}" is no Content-Length`);
  if (length !== undefined && coding !== undefined)
    throw new MalformedAnswer("it has Content-Length and Transfer-Encoding");
  if (method === "HEAD" || status === 204 || status === 304)
    return { framing: "none", length: 0, connection };
  if (coding !== undefined) {
    return { framing: /(^|[, \t])chunked$/.test(coding) ? "chunked" : "close", length: 0, connection };
  }
  if (length === undefined) return { framing: "close", length: 0, connection };
  return { framing: "length", length: Number(length), connection };
}

/** RFC 9112 9.3. */
export function persists(connection: string, isHttp11: boolean): boolean {
  if (connection === "") return isHttp11;
  const options = new Set(connection.split(",").map((option) => option.trim()));
  return !options.has("close") && (isHttp11 || options.has("keep-alive"));
}
