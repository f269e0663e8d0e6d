import {
  type ConfigObject,
  type FieldPath,
  type Problem,
  problemOf,
  type Severity,
} from "../config-object.ts";

/** Collects what is wrong with one object. */
export class Findings {
  readonly problems: Problem[] = [];
  private readonly object: ConfigObject;

  constructor(object: ConfigObject) {
    this.object = object;
  }

  error(path: FieldPath, message: string): void {
    this.add("error", path, message);
  }

  warning(path: FieldPath, message: string): void {
    this.add("warning", path, message);
  }

  private add(severity: Severity, path: FieldPath, message: string): void {
    this.problems.push(problemOf(severity, this.object, ["spec", ...path], message));
  }
}

/** Fields of `value` that are there, of those named. */
export const present = <Value extends object>(value: Value, ...fields: (keyof Value & string)[]): string[] =>
  fields.filter((field) => {
    const found = value[field];
    return found !== undefined && !(Array.isArray(found) && found.length === 0);
  });

/** Whether every name that `inner` stands for is one that `outer` stands for. */
export function covers(outer: string, inner: string): boolean {
  if (!outer.startsWith("*")) return outer === inner;
  const suffix = outer.slice(1);
  return inner.length > suffix.length && inner.endsWith(suffix);
}
