#!/usr/bin/env node
import { Command } from "commander";
import type { Question, RelayMessage } from "../messages.ts";
import { AgentLine } from "./agent-line.ts";
import { PinnedOrigins } from "./origin-lookup.ts";
import { RelayCore } from "./relay-core.ts";

const statusEveryMs = 1_000;
/** Time that callers are given to go when the agent has died. */
const graceMs = 2_000;

function run({ origins }: { origins: string }): void {
  if (process.send === undefined) throw new Error("the agent starts this program; it is of no use by itself");
  const core = new RelayCore(new PinnedOrigins(origins));
  const line = new AgentLine(core, (message: RelayMessage, sent) => {
    // The agent may go at any time.
    if (process.connected) process.send?.(message, undefined, undefined, () => sent?.());
  });
  setInterval(() => line.tellStatus(), statusEveryMs).unref();
  process.on("message", (question: Question) => {
    line.take(question).catch(fail);
  });
  // Nobody is accepted any more, and requests that are under way end as they would. (The agent has asked for the same before
  // where it went in order.)
  process.once("disconnect", () => {
    core.close(graceMs).then(() => process.exit(0), fail);
  });
  // The agent says when to end: signals to the whole group are for it.
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => undefined);
}

function fail(error: Error): void {
  process.stderr.write(`bpf-relay: ${error.message}\n`);
  process.exit(1);
}

const program = new Command("bpf-relay")
  .description(
    "Answers requests that the kernel does not decide. Started by bpf-applier, which speaks to it over IPC.",
  )
  .requiredOption("--origins <path>", "pin of the map that says whose connections come in")
  .showHelpAfterError()
  .action(run);

program.parseAsync().catch(fail);
