/** Where a configuration object, or a part of one, was read. Lines and columns count from 1. */
export interface Position {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** The object that something was read from. */
export interface Origin extends Position {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

export type Severity = "error" | "warning";

/** What is wrong with the configuration, for people and for tools. */
export interface Diagnostic {
  readonly severity: Severity;
  /** Stable, for tools: "unknown-field", "no-endpoints" … */
  readonly code: string;
  readonly message: string;
  readonly position?: Position;
  /** "RouteRule default/reviews-default", where the object is known. */
  readonly object?: string;
}

export const describeOrigin = ({ kind, namespace, name }: Omit<Origin, keyof Position>): string =>
  `${kind} ${namespace}/${name}`;

/** "rules/reviews.yaml:7:3: error: …" as compilers print it. */
export function formatDiagnostic({ severity, message, position, object, code }: Diagnostic): string {
  const where = position === undefined ? "" : `${position.file}:${position.line}:${position.column}: `;
  const what = object === undefined ? "" : `${object}: `;
  return `${where}${severity}: ${what}${message} [${code}]`;
}

export const byPosition = (a: Diagnostic, b: Diagnostic): number =>
  (a.position?.file ?? "").localeCompare(b.position?.file ?? "", "en") ||
  (a.position?.line ?? 0) - (b.position?.line ?? 0) ||
  (a.position?.column ?? 0) - (b.position?.column ?? 0) ||
  (a.message < b.message ? -1 : Number(a.message > b.message));
