import { Callers, type Orders, type Report } from "./callers.ts";
import { type Changes, Churn, chanceOf } from "./churn.ts";
import { kernelTime, kernelTrouble } from "./kernel-log.ts";
import { type Memory, memoryIsBack, memoryOf } from "./memory.ts";
import { type Held, stoppedReaders } from "./stopped-readers.ts";
import { podNames, type SocketsMode, TortureWorld } from "./torture-world.ts";

export interface TortureOptions extends Omit<Orders, "splices"> {
  readonly sockets: SocketsMode;
  /** Answers between two changes. */
  readonly answersPerChange: number;
  /** As many at least; more until each change was made once. */
  readonly requests: number;
  /** Of readers that stop. */
  readonly stopped: number;
}

export interface TortureResult {
  readonly report: Report;
  readonly changes: Changes;
  readonly held: Held;
  /** What the node counted meanwhile of requests that programs took and passed, by the names of its statistics. */
  readonly switched: Readonly<Record<string, number>>;
  readonly memory: { readonly before: Memory; readonly after: Memory };
  /** What was wrong, in words; nothing should be. */
  readonly troubles: readonly string[];
}

/** Callers and servers do all that sockets allow, while endpoints, rules, the relay and the agent change under them. */
export async function runTorture(
  world: string,
  options: TortureOptions,
  progress: (text: string) => void,
): Promise<TortureResult> {
  const since = await kernelTime();
  // What is read past TCP never reaches a pipe (bpf/README.md).
  const splices = options.sockets !== "queue";
  await using torture = await TortureWorld.open(world, options.sockets);
  const warm = new Callers(torture, { ...options, splices, seed: options.seed + 1, mostBytes: 2 ** 20 });
  await warm.moreAnswers(options.answersPerChange);
  await warm.end();
  const held = await stoppedReaders(torture, options.stopped);
  const before = await memoryOf(torture);
  const counted = await torture.status();
  const callers = new Callers(torture, { ...options, splices });
  const changes = await changeUnder(torture, callers, options, progress);
  const report = await callers.end();
  const switched = grown(counted.statistics, (await torture.status()).statistics);
  const kept = options.callers * podNames.length;
  const back = await memoryIsBack(torture, before, kept).then(
    () => [],
    (error: Error) => [error.message],
  );
  const after = await memoryOf(torture);
  const isSwitched = options.sockets === "switch" || options.sockets === "queue";
  const sentAway = options.sockets === "off" ? report.sentAway : 0;
  const troubles = [
    ...back,
    ...(await wrongOf(warm)),
    ...(await wrongOf(callers)),
    ...(await kernelTrouble(since)).map((line) => `the kernel says: ${line}`),
    ...(isSwitched && (switched["moved_answers"] ?? 0) === 0 ? ["programs moved no answer"] : []),
    ...(sentAway > 0 ? [`${sentAway} calls that block gave EAGAIN`] : []),
    ...(held.each > held.most
      ? [`a reader that has stopped holds ${held.each} bytes, more than ${held.most}`]
      : []),
  ];
  return { report, changes, held, switched, memory: { before, after }, troubles };
}

async function changeUnder(
  torture: TortureWorld,
  callers: Callers,
  { seed, answersPerChange, requests }: TortureOptions,
  progress: (text: string) => void,
): Promise<Changes> {
  const churn = new Churn(torture, callers, chanceOf(seed));
  const make = async (change: Promise<void>): Promise<void> => {
    await change;
    await callers.moreAnswers(answersPerChange);
    progress(JSON.stringify(callers.report));
  };
  for (const kind of ["endpoints", "rules", "killed relay", "killed agent"] as const)
    await make(churn.make(kind));
  while (callers.report.begun < requests) await make(churn.some());
  return churn.done;
}

function grown(
  before: Readonly<Record<string, string>>,
  after: Readonly<Record<string, string>>,
): Readonly<Record<string, number>> {
  const wanted = Object.keys(after).filter((name) => /^(switched|moved|passed|broken)_/.test(name));
  return Object.fromEntries(wanted.map((name) => [name, Number(after[name]) - Number(before[name] ?? 0)]));
}

async function wrongOf(callers: Callers): Promise<readonly string[]> {
  const { wrong, hung, right } = callers.report;
  if (wrong === 0 && hung === 0 && right > 0) return [];
  return [`${wrong} wrong, ${hung} without an end, ${right} right:\n${await callers.trouble()}`];
}
