/** A path into an object's body: property names and array indices. */
export type FieldPath = readonly (string | number)[];

/** Where something stands in what the user wrote; lines and columns count from 1. */
export interface Location {
  /** A file's path, or a source's name such as "kubernetes". */
  readonly file: string;
  readonly line?: number;
  readonly column?: number;
}

/** Where an object came from. */
export interface Origin {
  /** The place of a field, or of the nearest enclosing one that can be told. */
  locate(path: FieldPath): Location;
}

export interface ObjectMeta {
  readonly name: string;
  /** Empty for kinds without a namespace. */
  readonly namespace: string;
  readonly uid: string;
  /** RFC 3339, to the second; empty if not told, as in files. */
  readonly creationTimestamp: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** One object of configuration as its source read it: its schema holds, nothing else is checked yet. Immutable. */
export interface ConfigObject<Kind extends string = string, Group extends string = string, Body = unknown> {
  readonly kind: Kind;
  /** API group, empty for Kubernetes' core. Kind and group together say what it is: two groups have a Gateway. */
  readonly group: Group;
  readonly apiVersion: string;
  readonly metadata: ObjectMeta;
  readonly body: Body;
  readonly origin: Origin;
}

/** "RouteRule default/reviews-default": how messages name an object. */
export function describeObject({ kind, metadata }: Pick<ConfigObject, "kind" | "metadata">): string {
  return `${kind} ${metadata.namespace === "" ? "" : `${metadata.namespace}/`}${metadata.name}`;
}

type Identified = Pick<ConfigObject, "kind" | "group" | "metadata">;

/** There are many objects, and each is asked for its key many times. */
const keys = new WeakMap<Identified, string>();

/** Unique among all objects of a source. */
export function objectKey(object: Identified): string {
  const known = keys.get(object);
  if (known !== undefined) return known;
  const { kind, group, metadata } = object;
  const key = [`${kind}.${group}`, metadata.namespace, metadata.name].join("/");
  keys.set(object, key);
  return key;
}

/** There are many pods, and each is named in many places: one text for all of them. */
const names = new WeakMap<Identified, string>();

/** "namespace/name". */
export function qualifiedName(object: Identified): string {
  const known = names.get(object);
  if (known !== undefined) return known;
  // A template would make a text of parts that stay.
  const name = [object.metadata.namespace, object.metadata.name].join("/");
  names.set(object, name);
  return name;
}

export type Severity = "error" | "warning";

/** Something that a problem's conclusion rests on, and that is not there. */
export interface Absence {
  readonly what: "service" | "policy" | "gateway" | "rule" | "endpoints";
  /** Hostname of the service that is meant; of a gateway or a rule, its "namespace/name". */
  readonly hostname: string;
  /** Endpoints with certain labels are meant. */
  readonly byLabels?: boolean;
}

/** Something in the configuration that the user should know. An error means that what it names has no effect. */
export interface Problem {
  readonly severity: Severity;
  readonly message: string;
  /** As describeObject; empty if the text is no object at all. */
  readonly object: string;
  /** "spec.route[0].weight"; empty for the object as a whole. */
  readonly field: string;
  readonly location: Location;
  /** What must be absent for it to be a problem; it may be there where the reader of a part cannot look. */
  readonly absent?: Absence;
  /** What the Gateway API calls it in the status of its kinds: "NotAllowedByListeners". */
  readonly reason?: string;
}

/** "spec.route[0].weight". */
export function formatPath(path: FieldPath): string {
  return path.reduce<string>(
    (text, part) => (typeof part === "number" ? `${text}[${part}]` : text === "" ? part : `${text}.${part}`),
    "",
  );
}

/** The order of a reader: by file, then line, then column. */
export function compareLocations(a: Location, b: Location): number {
  if (a.file !== b.file) return a.file < b.file ? -1 : 1;
  return (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0);
}

/** "rules.yaml:12:5". */
export function formatLocation({ file, line, column }: Location): string {
  return [file, line, column].filter((part) => part !== undefined).join(":");
}

export function problemOf(
  severity: Severity,
  object: Pick<ConfigObject, "kind" | "metadata" | "origin">,
  path: FieldPath,
  message: string,
  absent?: Absence,
): Problem {
  return {
    severity,
    message,
    object: describeObject(object),
    field: formatPath(path),
    location: object.origin.locate(path),
    ...(absent && { absent }),
  };
}
