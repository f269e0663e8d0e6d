// npm run e2e -- kernel-behaviour [options] [names…]: what kernels do with redirected sockets, here or in guests.
import { release } from "node:os";
import { parseArgs } from "node:util";
import { wantedKernels } from "../kernels/kernel-cache.ts";
import { runKernelMatrix } from "../kernels/matrix.ts";
import { setUpKernels } from "../kernels/setup.ts";
import { behaviours } from "./behaviours/index.ts";
import { type KernelRecord, recordHere, writeRecord } from "./record.ts";
import { runBehaviours } from "./run.ts";

const usage = `usage: npm run e2e -- kernel-behaviour [options] [names…]

Looks at what this kernel does with redirected sockets, and compares it with what is recorded (e2e/kernel-behaviour/recorded).
Names are those of its README; all of them without a name.

  --short        as in the tests
  --on SERIES    on Debian's kernel of a series instead, in QEMU (${wantedKernels.map(({ series }) => series).join(", ")}); may be given again
  --record       make what is seen the record
  --help         this text
`;

/** Before the record that a guest prints, on one line. */
const recordMark = "@record ";
/** Emulated. */
const timeoutMs = 20 * 60_000;

const { values, positionals } = parseArgs({
  options: {
    short: { type: "boolean" },
    on: { type: "string", multiple: true },
    record: { type: "boolean" },
    help: { type: "boolean", short: "h" },
  },
  allowPositionals: true,
});

const say = (line: string): void => void process.stdout.write(`${line}\n`);

/** Looks on this kernel. */
async function here(): Promise<number> {
  const chosen = behaviours.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
  const record = values.record === true;
  const run = await runBehaviours(chosen, values.short === true ? "short" : "long", say, !record);
  say(`${release()}: ${chosen.length - run.failed.length} of ${chosen.length} behaviours are as recorded`);
  if (record && process.env["KEELSON_GUEST"] !== undefined)
    say(recordMark + JSON.stringify(recordHere(run.observed)));
  else if (record) await writeRecord(recordHere(run.observed));
  return run.failed.length === 0 ? 0 : 1;
}

/** Looks on other kernels. */
async function inGuests(series: readonly string[]): Promise<number> {
  const { kernels, missing } = await setUpKernels(say, { series: [...series] });
  for (const { series: name, reason } of missing) say(`kernel ${name} is not to be had: ${reason}`);
  const options = [
    ...(values.short === true ? ["--short"] : []),
    ...(values.record === true ? ["--record"] : []),
  ];
  const rows = await runKernelMatrix({
    kernels: kernels.map((kernel) => kernel.series),
    command: ["node", "e2e/kernel-behaviour/main.ts", ...options, ...positionals],
    timeoutMs,
  });
  for (const { result } of rows) {
    const line = result?.output.split("\n").find((text) => text.startsWith(recordMark));
    if (line === undefined) continue;
    const record: KernelRecord = JSON.parse(line.slice(recordMark.length));
    await writeRecord(record);
  }
  return missing.length === 0 && rows.every(({ passed }) => passed) ? 0 : 1;
}

const known = behaviours.map(({ name }) => name);
const unknown = positionals.filter((name) => !known.includes(name));
if (values.help === true) process.stdout.write(usage);
else if (unknown.length > 0) {
  process.stderr.write(`no behaviour ${unknown.join(", ")}; there are: ${known.join(", ")}\n\n${usage}`);
  process.exitCode = 2;
} else process.exitCode = values.on === undefined ? await here() : await inGuests(values.on);
