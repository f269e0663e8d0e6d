import {
  findKind,
  type KnownObject,
  type Location,
  type Origin,
  type Problem,
  parseObject,
} from "@keelson/model";
import { type DocumentText, parseYaml, splitDocuments, type YamlError } from "./yaml-documents.ts";

/** What one file says. */
export interface FileContent {
  readonly objects: readonly KnownObject[];
  readonly problems: readonly Problem[];
  /** By first line, so that the next reading parses only what differs. */
  readonly documents: ReadonlyMap<number, DocumentContent>;
}

interface DocumentContent extends Read {
  readonly text: string;
}

interface Read {
  readonly objects: readonly KnownObject[];
  readonly problems: readonly Problem[];
}

/**
 * Reads Kubernetes objects from YAML or JSON text: documents separated by "---", each an object or a List of them.
 * @param before what the same file said last; unchanged documents give the same objects again
 */
export function readConfigFile(text: string, file: string, before?: FileContent): FileContent {
  const documents = new Map<number, DocumentContent>();
  for (const document of splitDocuments(text)) {
    const { firstLine } = document;
    const known = before?.documents.get(firstLine);
    const isSame = known?.text === document.text;
    documents.set(firstLine, isSame ? known : { text: document.text, ...readDocument(document, file) });
  }
  const all = [...documents.values()];
  return {
    objects: all.flatMap(({ objects }) => objects),
    problems: all.flatMap(({ problems }) => problems),
    documents,
  };
}

function readDocument(document: DocumentText, file: string): Read {
  const { errors, value, start, locate } = parseYaml(document, file);
  if (errors.length > 0) {
    const isSecret = mayBeSecret.test(document.text);
    return { objects: [], problems: errors.map((error) => syntaxProblem(error, isSecret)) };
  }
  if (value === null) return { objects: [], problems: [] };
  const items = itemsOf(value);
  if (items === undefined) return read(value, { locate }, start);
  const parts = items.map((item, i) =>
    read(item, { locate: (path) => locate(["items", i, ...path]) }, locate(["items", i])),
  );
  return {
    objects: parts.flatMap(({ objects }) => objects),
    problems: parts.flatMap(({ problems }) => problems),
  };
}

function read(value: unknown, origin: Origin, start: Location): Read {
  const { object, problems } = parseObject(value, origin);
  return { objects: object === undefined ? [] : [lean(object, start)], problems };
}

/** Only objects that people write keep the syntax tree that tells where each field stands. */
function lean(object: KnownObject, start: Location): KnownObject {
  return findKind(object.kind, object.group)?.handWritten
    ? object
    : { ...object, origin: { locate: () => start } };
}

/** The items of a "kind: List" (or PodList …), as kubectl writes them. */
function itemsOf(value: unknown): readonly unknown[] | undefined {
  if (typeof value !== "object" || value === null || !("kind" in value) || !("items" in value))
    return undefined;
  const { kind, items } = value;
  if (typeof kind !== "string" || !kind.endsWith("List")) return undefined;
  // Kubernetes' API writes null for an empty list.
  return Array.isArray(items) ? items : items === null ? [] : undefined;
}

/** In YAML and in JSON. */
const mayBeSecret = /\bkind["']?\s*:\s*["']?(Secret|List)\b/;

/** @param isSecret whether the message must not quote what is written */
function syntaxProblem({ message: whole, location }: YamlError, isSecret: boolean): Problem {
  const message = isSecret ? "is not valid YAML (more is not said of what may be a Secret)" : whole;
  return { severity: "error", message, object: "", field: "", location };
}
