import { formatLocation, type Problem } from "@keelson/model";
import type { Logger } from "pino";

/** Says each problem once when it appears, and once when it is gone. */
export class ProblemLog {
  private readonly logger: Logger;
  private known = new Map<string, Problem>();
  private last: readonly Problem[] = [];

  constructor(logger: Logger) {
    this.logger = logger;
  }

  take(problems: readonly Problem[]): void {
    const { last } = this;
    this.last = problems;
    if (problems.length === last.length && problems.every((problem, i) => problem === last[i])) return;
    const now = new Map(problems.map((problem) => [problemText(problem), problem]));
    for (const [text, problem] of now) {
      if (this.known.has(text)) continue;
      if (problem.severity === "error") this.logger.error(text);
      else this.logger.warn(text);
    }
    for (const text of this.known.keys()) if (!now.has(text)) this.logger.info(`solved: ${text}`);
    this.known = now;
  }
}

/** "rules.yaml:3:5: RouteRule default/reviews spec.route: …" */
export function problemText({ location, object, field, message }: Problem): string {
  const what = [object, field].filter((part) => part !== "").join(" ");
  return `${formatLocation(location)}: ${what === "" ? "" : `${what}: `}${message}`;
}
