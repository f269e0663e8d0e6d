import { type Place, runThere } from "../place.ts";
import { judge, type Observation, type Step } from "../steps.ts";
import type { Outcome } from "./caller.ts";

/**
 * A step as the programs read it, words apart by tabs: method, path, bytes of the body (-1: none), 1 if in chunks, 1 if it
 * waits for 100 Continue, the header x-test (may be empty), how often, 1 if all at once.
 */
const taskLine = ({
  method,
  path,
  body = -1,
  chunked,
  expect,
  header = "",
  times = 1,
  atOnce,
}: Step): string =>
  [
    method,
    path,
    body,
    chunked === true ? 1 : 0,
    expect === true ? 1 : 0,
    header,
    times,
    atOnce === true ? 1 : 0,
  ].join("\t");

/** A line for each answer: status, SHA-256 of the body, content-length (may be empty); or "error" and what it is. */
function observation(line: string): Observation {
  const [status = "", sha256 = "", contentLength = ""] = line.split("\t");
  if (status === "error" || status === "") return { error: sha256 };
  return {
    status: Number(status),
    sha256,
    ...(contentLength === "" ? {} : { contentLength: Number(contentLength) }),
  };
}

/** Has a program do steps that it reads as lines. @param cannot why it cannot do a step, if it cannot */
export async function runTasks(
  place: Place,
  command: readonly [string, ...string[]],
  steps: readonly Step[],
  cannot: (step: Step) => string | undefined = () => undefined,
): Promise<Outcome[]> {
  const can = steps.filter((step) => cannot(step) === undefined);
  const output = await runThere(place, command, can.map((step) => `${taskLine(step)}\n`).join(""));
  const lines = output.trimEnd().split("\n");
  return steps.map((step) => {
    const reason = cannot(step);
    if (reason !== undefined) return { step: step.name, cannot: reason };
    const times = step.times ?? 1;
    const seen = lines.splice(0, times).map(observation);
    return outcomeOf(step, seen);
  });
}

/** The first trouble of a step's answers. */
export function outcomeOf(step: Step, seen: readonly Observation[]): Outcome {
  const { name, times = 1 } = step;
  const troubles = seen.map((one) => judge(step, one)).filter((trouble) => trouble !== undefined);
  if (seen.length !== times) troubles.push(`${seen.length} answers of ${times}`);
  const [trouble] = troubles;
  return {
    step: name,
    ...(trouble === undefined
      ? {}
      : { trouble: times > 1 ? `${troubles.length} times: ${trouble}` : trouble }),
  };
}
