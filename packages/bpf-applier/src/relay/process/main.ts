#!/usr/bin/env node
import { Command } from "commander";
import type { Question, RelayMessage } from "../messages.ts";
import { AgentLine } from "./agent-line.ts";
import { Holding, type Moved } from "./holding/holding.ts";
import { PinnedOrigins } from "./origin-lookup.ts";
import { RelayCore } from "./relay-core.ts";
import { PinnedKernel } from "./switching/pinned-kernel.ts";

const statusEveryMs = 1_000;
/** Time that callers are given to go when the agent has died. */
const graceMs = 2_000;
/** Seconds that connections wait for a relay before they are closed. */
const holderPatience = 30;

interface Flags {
  readonly origins: string;
  readonly holder?: string;
  readonly switching?: string;
}

function run(flags: Flags): void {
  if (process.send === undefined) throw new Error("the agent starts this program; it is of no use by itself");
  const begun = begin(flags);
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

async function begin({ origins, holder, switching }: Flags): Promise<{ core: RelayCore; line: AgentLine }> {
  const kernel = switching === undefined ? undefined : PinnedKernel.open(switching);
  const holding =
    holder === undefined
      ? undefined
      : await Holding.open({ path: holder, patience: holderPatience }, say, movedBy(kernel)).catch(
          (error: Error) => {
            say(new Error(`connections will end with this process: ${error.message}`));
            return undefined;
          },
        );
  // What relays before have left would be taken for this one's; what is not held any more is closed by now.
  await kernel?.clean();
  const core = new RelayCore(new PinnedOrigins(origins), { holding, kernel });
  const line = new AgentLine(core, (message: RelayMessage, sent) => {
    // The agent may go at any time.
    if (process.connected) process.send?.(message, undefined, undefined, () => sent?.());
  });
  setInterval(() => line.tellStatus(), statusEveryMs).unref();
  return { core, line };
}

/** What programs have sent on the connections that the relay before has left. */
const movedBy =
  (kernel: PinnedKernel | undefined): Moved =>
  (caller) => {
    const exchange = kernel?.exchange(caller);
    if (exchange === undefined) return 0;
    return exchange.link === 0n && exchange.isBroken === 0 ? exchange.promised : undefined;
  };

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
