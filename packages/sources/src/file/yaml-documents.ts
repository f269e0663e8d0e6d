import type { FieldPath, Location } from "@keelson/model";
import { type Document, isMap, isNode, isScalar, isSeq, LineCounter, type Node, parseDocument } from "yaml";

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
  locate(path: FieldPath): Location;
}

/**
 * Splits a file at its document markers. A line that begins with "---" is one wherever it stands (YAML 1.2.2, 9.1.2),
 * so this needs no parser, and a document that did not change need not be parsed again.
 */
export function splitDocuments(text: string): DocumentText[] {
  const documents: DocumentText[] = [];
  let lines: string[] = [];
  let firstLine = 1;
  const end = (nextLine: number): void => {
    documents.push({ text: lines.join("\n"), firstLine });
    lines = [];
    firstLine = nextLine;
  };
  text.split("\n").forEach((line, i) => {
    if (/^---(\s|$)/.test(line) && i > 0) end(i + 1);
    lines.push(line);
  });
  end(0);
  return documents;
}

/** Parses one document. An empty one has the value null and no errors. */
export function parseYaml({ text, firstLine }: DocumentText, file: string): ParsedDocument {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true });
  const at = (offset: number): Location => {
    const { line, col } = lines.linePos(offset);
    return { file, line: firstLine + Math.max(line, 1) - 1, column: Math.max(col, 1) };
  };
  const errors = document.errors.map(({ message, pos }) => ({ message, location: at(pos[0]) }));
  const start = at(startOf(document));
  return {
    // More aliases than the parser allows make toJS throw: a small file must not become a huge value.
    ...valueOf(document, errors, start),
    start,
    locate: (path) => at(offsetOf(document.contents, path) ?? startOf(document)),
  };
}

function valueOf(
  document: Document,
  errors: YamlError[],
  start: Location,
): { value: unknown; errors: readonly YamlError[] } {
  if (errors.length > 0) return { value: undefined, errors };
  try {
    return { value: document.toJS(), errors };
  } catch (error) {
    return { value: undefined, errors: [{ message: (error as Error).message, location: start }] };
  }
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

/** A field may be written in snake_case, while paths are in camelCase. */
function childOf(
  node: unknown,
  part: string | number,
): { key?: number | undefined; value: unknown } | undefined {
  if (isSeq(node) && typeof part === "number") {
    return part < node.items.length ? { value: node.items[part] } : undefined;
  }
  if (!isMap(node)) return undefined;
  const name = (key: unknown): string => (isScalar(key) ? String(key.value) : "");
  const pair =
    node.items.find(({ key }) => name(key) === part) ??
    node.items.find(({ key }) => camel(name(key)) === part);
  return pair && { key: isNode(pair.key) ? pair.key.range?.[0] : undefined, value: pair.value };
}
