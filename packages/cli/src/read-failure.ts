import { codeOf, messageOf } from "./caught.ts";

const reasons: Readonly<Record<string, string>> = {
  ENOENT: "no such file or directory",
  ENOTDIR: "it is no directory",
  EACCES: "permission denied",
};

/** "cannot read rules.yaml: no such file or directory" */
export const readFailure = (path: string, error: unknown): string =>
  `cannot read ${path}: ${reasons[codeOf(error) ?? ""] ?? messageOf(error)}`;
