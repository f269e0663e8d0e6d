#!/usr/bin/env node
import { Command } from "commander";
import type { Question, RelayMessage } from "../messages.ts";
import { AgentLine } from "./agent-line.ts";
import { Holding } from "./holding/holding.ts";
import { PinnedOrigins } from "./origin-lookup.ts";
import { RelayCore } from "./relay-core.ts";

const statusEveryMs = 1_000;
/** Time that callers are given to go when the agent has died. */
const graceMs = 2_000;
/** Seconds that connections wait for a relay before they are closed. */
const holderPatience = 30;

interface Flags {
  readonly origins: string;
  readonly holder?: string;
}

function run({ origins, holder }: Flags): void {
  if (process.send === undefined) throw new Error("the agent starts this program; it is of no use by itself");
  const begun = begin(origins, holder);
  process.on("message", (question: Question) => {
    begun.then(({ line }) => line.take(question)).catch(fail);
  });
  // Nobody is accepted any more, and requests that are under way end as they would. (The agent has asked for the same before
  // where it went in order.)
  process.once("disconnect", () => {
    begun.then(({ core }) => core.close(graceMs)).then(() => process.exit(0), fail);
  });
  // The agent says when to end: signals to the whole group are for it.
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => undefined);
  begun.catch(fail);
}

async function begin(
  origins: string,
  holder: string | undefined,
): Promise<{ core: RelayCore; line: AgentLine }> {
  const holding =
    holder === undefined
      ? undefined
      : await Holding.open({ path: holder, patience: holderPatience }, say).catch((error: Error) => {
          say(new Error(`connections will end with this process: ${error.message}`));
          return undefined;
        });
  const core = new RelayCore(new PinnedOrigins(origins), { holding });
  const line = new AgentLine(core, (message: RelayMessage, sent) => {
    // The agent may go at any time.
    if (process.connected) process.send?.(message, undefined, undefined, () => sent?.());
  });
  setInterval(() => line.tellStatus(), statusEveryMs).unref();
  return { core, line };
}

function say(error: Error): void {
  process.stderr.write(`bpf-relay: ${error.message}\n`);
}

function fail(error: Error): void {
  say(error);
  process.exit(1);
}

const program = new Command("bpf-relay")
  .description(
    "Answers requests that the kernel does not decide. Started by bpf-applier, which speaks to it over IPC.",
  )
  .requiredOption("--origins <path>", "pin of the map that says whose connections come in")
  .option(
    "--holder <path>",
    "socket of the process that keeps listeners and connections when this one dies; started where there is none",
  )
  .option("--switching <folder>", "pins by which programs take requests off the way")
  .showHelpAfterError()
  .action(run);

program.parseAsync().catch(fail);
