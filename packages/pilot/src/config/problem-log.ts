import { formatLocation, type Problem } from "@keelson/model";
import type { Logger } from "pino";

/** More that are new at once, or solved at once, are counted only. */
const mostLines = 20;
const allOfThem = "`keelson status --output json` shows all there are";

/** Says each problem once when it appears, and once when it is gone. */
export class ProblemLog {
  private readonly logger: Logger;
  /** By what is the same after lines were added above. */
  private known: ReadonlyMap<string, Problem> = new Map();
  private last: readonly Problem[] = [];

  constructor(logger: Logger) {
    this.logger = logger;
  }

  take(problems: readonly Problem[]): void {
    const { last, known } = this;
    this.last = problems;
    if (problems.length === last.length && problems.every((problem, i) => problem === last[i])) return;
    const now = byIdentity(problems);
    this.known = now;
    this.tellNew([...now].filter(([identity]) => !known.has(identity)).map(([, problem]) => problem));
    this.tellSolved([...known].filter(([identity]) => !now.has(identity)).map(([, problem]) => problem));
  }

  private tellNew(problems: readonly Problem[]): void {
    const [errors, warnings] = [problems.filter(isError), problems.filter((problem) => !isError(problem))];
    const ordered = [...errors, ...warnings];
    for (const problem of ordered.slice(0, mostLines))
      this.logger[isError(problem) ? "error" : "warn"](problemText(problem));
    const more = ordered.slice(mostLines);
    if (more.length === 0) return;
    const moreErrors = more.filter(isError).length;
    const text = `${more.length} more problems, ${moreErrors} of them errors; ${allOfThem}`;
    this.logger[moreErrors > 0 ? "error" : "warn"](text);
  }

  private tellSolved(problems: readonly Problem[]): void {
    for (const problem of problems.slice(0, mostLines)) this.logger.info(`solved: ${problemText(problem)}`);
    const more = problems.length - mostLines;
    if (more > 0) this.logger.info(`solved: ${more} more problems; ${allOfThem}`);
  }
}

const isError = ({ severity }: Problem): boolean => severity === "error";

/** Those that read alike, place and all, are one; of those that differ in nothing but their lines each has its number. */
function byIdentity(problems: readonly Problem[]): Map<string, Problem> {
  const byText = new Map(problems.map((problem) => [problemText(problem), problem]));
  const counts = new Map<string, number>();
  const found = new Map<string, Problem>();
  for (const problem of byText.values()) {
    const { severity, location, object, field, message } = problem;
    const identity = JSON.stringify([severity, location.file, object, field, message]);
    const count = (counts.get(identity) ?? 0) + 1;
    counts.set(identity, count);
    found.set(`${identity} ${count}`, problem);
  }
  return found;
}

/** "rules.yaml:3:5: RouteRule default/reviews spec.route: …" */
export function problemText({ location, object, field, message }: Problem): string {
  const what = [object, field].filter((part) => part !== "").join(" ");
  return `${formatLocation(location)}: ${what === "" ? "" : `${what}: `}${message}`;
}
