import type { FieldPath, Location } from "@keelson/model";
import { type Document, isMap, isNode, isScalar, isSeq, LineCounter, type Node } from "yaml";
import { composeDocument, repeatedKeys, YamlRefusal } from "./bounded-yaml.ts";

/** One document of a file, not parsed yet. */
export interface DocumentText {
  readonly text: string;
  /** Line of the file on which the text begins, from 1. */
  readonly firstLine: number;
}

export interface YamlError {
  readonly message: string;
  readonly location: Location;
}

export interface ParsedDocument {
  readonly errors: readonly YamlError[];
  readonly value: unknown;
  /** Where the document's content begins. */
  readonly start: Location;
  /** The place of a field, or of the nearest enclosing one that is there. */
  readonly locate: (path: FieldPath) => Location;
}

/**
 * Splits a file at its document markers. A line that begins with "---" or "..." is one wherever it stands (YAML 1.2.2,
 * 9.1.2), so this needs no parser, and a document that did not change need not be parsed again.
 */
export function splitDocuments(text: string): DocumentText[] {
  const documents: DocumentText[] = [];
  let lines: string[] = [];
  let firstLine = 1;
  const end = (nextLine: number): void => {
    documents.push({ text: lines.join(""), firstLine });
    lines = [];
    firstLine = nextLine;
  };
  // Each line keeps its end: without it, the "\r" of Windows' last one would count as text.
  text.split(/(?<=\n)/).forEach((line, i) => {
    if (/^---(\s|$)/.test(line) && !lines.every(isPrologue)) end(i + 1);
    lines.push(line);
    if (/^\.\.\.(\s|$)/.test(line)) end(i + 2);
  });
  end(0);
  return documents;
}

/** Directives, comments and empty lines belong to the document whose "---" follows them. */
const isPrologue = (line: string): boolean => /^(%|#|\s*$)/.test(line);

/** A document's syntax tree, and where each of its lines begins. */
interface Composed {
  readonly document: Document.Parsed;
  readonly lines: LineCounter;
}

/**
 * The last one. A syntax tree takes many times the room of its text, so that none is kept for each text: it is made
 * again when somebody asks for places, and who asks for one mostly asks for more.
 */
let lastComposed: { readonly text: string; readonly composed: Composed } | undefined;

function compose(text: string, lines = new LineCounter()): Composed {
  if (lastComposed?.text !== text)
    lastComposed = { text, composed: { document: composeDocument(text, lines), lines } };
  return lastComposed.composed;
}

/** Parses one document. An empty one has the value null and no errors. */
export function parseYaml(source: DocumentText, file: string): ParsedDocument {
  const counted = new LineCounter();
  let begun: Composed | undefined;
  try {
    const composed = (begun = compose(source.text, counted));
    const { document, lines } = composed;
    const errors = errorsOf(document);
    return {
      errors: errors.map(({ message, offset }) => ({
        message,
        location: placeAt(offset, lines, source, file),
      })),
      // More aliases of one anchor than the parser allows make toJS throw: a small file must not become a huge value.
      value: document.errors.length > 0 ? undefined : document.toJS(),
      start: placeAt(startOf(document), lines, source, file),
      locate: locator(source, file),
    };
  } catch (error) {
    const offset =
      error instanceof YamlRefusal ? error.offset : begun === undefined ? 0 : startOf(begun.document);
    const start = placeAt(offset, begun?.lines ?? counted, source, file);
    const message = error instanceof Error ? error.message : String(error);
    return { errors: [{ message, location: start }], value: undefined, start, locate: () => start };
  }
}

function placeAt(offset: number, lines: LineCounter, { firstLine }: DocumentText, file: string): Location {
  const { line, col } = lines.linePos(offset);
  return { file, line: firstLine + Math.max(line, 1) - 1, column: Math.max(col, 1) };
}

/** Holds nothing but the text. */
const locator =
  (source: DocumentText, file: string): ParsedDocument["locate"] =>
  (path) => {
    const { document, lines } = compose(source.text);
    return placeAt(offsetOf(document.contents, path) ?? startOf(document), lines, source, file);
  };

function errorsOf(document: Document.Parsed): { message: string; offset: number }[] {
  return [
    ...document.errors.map(({ message, pos }) => ({ message, offset: pos[0] })),
    ...repeatedKeys(document),
  ];
}

const startOf = (document: Document): number => document.contents?.range?.[0] ?? 0;

/** Offset of the node at `path`, or of the last one on the way that exists. */
function offsetOf(root: Node | null, path: FieldPath): number | undefined {
  let node: unknown = root;
  let offset = root?.range?.[0];
  for (const part of path) {
    const next = childOf(node, part);
    if (next === undefined) break;
    offset = next.key ?? (isNode(next.value) ? next.value.range?.[0] : undefined) ?? offset;
    node = next.value;
  }
  return offset;
}

const camel = (name: string): string =>
  name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());

const name = (key: unknown): string => (isScalar(key) ? String(key.value) : "");

/** A field may be written in snake_case, while paths are in camelCase. */
function childOf(
  node: unknown,
  part: string | number,
): { key?: number | undefined; value: unknown } | undefined {
  if (isSeq(node) && typeof part === "number") {
    return part < node.items.length ? { value: node.items[part] } : undefined;
  }
  if (!isMap(node)) return undefined;
  const pair =
    node.items.find(({ key }) => name(key) === part) ??
    node.items.find(({ key }) => camel(name(key)) === part);
  return pair && { key: isNode(pair.key) ? pair.key.range?.[0] : undefined, value: pair.value };
}
