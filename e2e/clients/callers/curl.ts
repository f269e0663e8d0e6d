import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { missingPrograms } from "../missing-program.ts";
import { type Place, runThere } from "../place.ts";
import { type Observation, pattern, type Step } from "../steps.ts";
import type { Caller, Outcome } from "./caller.ts";
import { outcomeOf } from "./tasks.ts";

export const curl: Caller = {
  name: "curl",
  missing: () => missingPrograms("Debian package curl", "curl"),
  async run(place, base, steps) {
    const outcomes: Outcome[] = [];
    for (const step of steps) outcomes.push(await runStep(place, base, step));
    return outcomes;
  },
};

/** One call of curl for a step: what is to be done several times goes over the connections of that one call. */
async function runStep(place: Place, base: string, step: Step): Promise<Outcome> {
  const folder = join(place.folder, "curl");
  await mkdir(folder);
  try {
    const body = join(folder, "body");
    if (step.body !== undefined) await writeFile(body, pattern(step.body));
    const told = await runThere(place, ["curl", ...curlArguments(base, step, folder, body)]);
    const lines = told.trimEnd().split("\n");
    return outcomeOf(step, await Promise.all(lines.map((line) => observed(line, step))));
  } catch (error) {
    return { step: step.name, trouble: error instanceof Error ? error.message : String(error) };
  } finally {
    await rm(folder, { recursive: true });
  }
}

function curlArguments(base: string, step: Step, folder: string, body: string): string[] {
  const { method, path, chunked, expect, header, times = 1, atOnce } = step;
  const answers = Array.from({ length: times }, (_, i) => ["-o", join(folder, `answer-${i}`), base + path]);
  return [
    ..."-sS --fail-early --location --globoff --path-as-is --max-time 60".split(" "),
    "-w",
    "%{http_code}\\t%{filename_effective}\\t%header{content-length}\\n",
    ...(method === "HEAD" ? ["--head"] : []),
    ...(step.body === undefined ? [] : ["--data-binary", `@${body}`]),
    ...(chunked === true ? ["-H", "transfer-encoding: chunked"] : []),
    ...(expect === true ? ["-H", "expect: 100-continue"] : []),
    ...(header === undefined ? [] : ["-H", `x-test: ${header}`]),
    ...(atOnce === true ? ["--parallel", "--parallel-max", String(times)] : []),
    ...answers.flat(),
  ];
}

async function observed(line: string, { method }: Step): Promise<Observation> {
  const [status, file = "", contentLength = ""] = line.split("\t");
  const hash = createHash("sha256");
  // Of a HEAD it writes the answer's head to the file, and it makes no file of an empty body.
  if (method !== "HEAD")
    try {
      for await (const piece of createReadStream(file) as AsyncIterable<Buffer>) hash.update(piece);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
  const length = contentLength === "" ? {} : { contentLength: Number(contentLength) };
  return { status: Number(status), sha256: hash.digest("hex"), ...length };
}
