import { Compiler } from "@keelson/compiler";
import { describeObject, ModelBuilder, type Problem } from "@keelson/model";
import type { FileContent } from "@keelson/sources";
import { compareProblems, countBySeverity } from "../output/problem-text.ts";
import { holdsBeyondFiles } from "./beyond-files.ts";
import type { ReadFile } from "./read-inputs.ts";

export interface ValidationReport {
  readonly files: number;
  /** Those with errors, too. */
  readonly objects: number;
  readonly errors: number;
  readonly warnings: number;
  /** Sorted by file and place. */
  readonly problems: readonly Problem[];
}

export interface CheckOptions {
  /** Suffix of Kubernetes' service names. */
  readonly domain: string;
  /** The files are all there is: a service, endpoint or label that they do not hold does not exist. */
  readonly complete: boolean;
}

/** Checks every file for itself, then what they say together. */
export function check(files: readonly ReadFile[], { domain, complete }: CheckOptions): ValidationReport {
  const objects = files.flatMap(({ content }) => content.objects);
  const { model, problems: modelProblems } = new ModelBuilder(domain).build(objects);
  const compiled = new Compiler().compile(model).problems;
  const problems = [
    ...files.flatMap(({ content }) => content.problems),
    ...modelProblems,
    ...(complete ? compiled : compiled.filter(holdsBeyondFiles(model, objects))),
  ].sort(compareProblems);
  return {
    files: files.length,
    objects: files.reduce((sum, { content }) => sum + countObjects(content), 0),
    ...countBySeverity(problems),
    problems,
  };
}

/** An object with errors is not among a document's objects; its problems name it. */
function countObjects({ documents }: FileContent): number {
  let sum = 0;
  for (const { objects, problems } of documents.values()) {
    const read = new Set(objects.map(describeObject));
    const broken = problems.map(({ object }) => object).filter((name) => name !== "" && !read.has(name));
    sum += objects.length + new Set(broken).size;
  }
  return sum;
}
