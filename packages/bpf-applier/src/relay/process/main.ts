#!/usr/bin/env node
import { Socket } from "node:net";
import { Command } from "commander";
import { sendMessage } from "../message-stream.ts";
import type { RelayMessage } from "../messages.ts";
import { AgentLines, type LinesOptions } from "./agent-lines.ts";
import { Holding } from "./holding/holding.ts";
import { PinnedOrigins } from "./origin-lookup.ts";
import { RelayCore } from "./relay-core.ts";
import { PinnedKernel } from "./switching/pinned-kernel.ts";
import { RelayBefore } from "./switching/relay-before.ts";

/** Where the agent that has started this process speaks to it. */
const agentLine = 3;
/** Seconds that connections wait for a relay before they are closed. */
const holderPatience = 30;

interface Flags extends Pick<LinesOptions, "line" | "identity"> {
  readonly origins: string;
  readonly holder?: string;
  readonly switching?: string;
}

async function run({ line, identity, ...flags }: Flags): Promise<void> {
  // Who reads what it says may be gone; and signals to the whole group are for the agent, which says when to end, if it is there.
  process.stderr.on("error", () => undefined);
  let lines: AgentLines | undefined;
  process.on("SIGINT", () => undefined);
  process.on("SIGTERM", () => lines?.endIfLone());
  const agent = new Socket({ fd: agentLine });
  // It ends a relay that takes too long to come as far as here. What is taken over from the one before would be lost with that.
  if (await isWanted(agent)) lines = await AgentLines.open(await begin(flags), agent, { line, identity });
  else process.exit(0);
}

/** Tells the agent that the program is loaded. @returns whether it asks something then; else it is gone */
async function isWanted(agent: Socket): Promise<boolean> {
  agent.on("error", () => undefined); // what is read says so
  sendMessage(agent, { kind: "loaded" } satisfies RelayMessage);
  await new Promise((resolve) => agent.once("readable", resolve).once("close", resolve));
  return agent.readableLength > 0;
}

async function begin({ origins, holder, switching }: Omit<Flags, "line" | "identity">): Promise<RelayCore> {
  const kernel = switching === undefined ? undefined : PinnedKernel.open(switching);
  const before = new RelayBefore(kernel);
  const holding =
    holder === undefined
      ? undefined
      : await Holding.open({ path: holder, patience: holderPatience }, say, before).catch((error: Error) => {
          say(new Error(`connections will end with this process: ${error.message}`));
          return undefined;
        });
  // What relays before have left would be taken for this one's.
  await kernel?.clean();
  const leftLinks = before.links.values();
  if (holding !== undefined) tellOf(holding, before);
  return new RelayCore(new PinnedOrigins(origins), { holding, kernel, leftLinks });
}

/** Where a relay before has left anything. */
function tellOf({ found: { goOn, closed } }: Holding, { links, lost }: RelayBefore): void {
  if (goOn + closed + links.size === 0) return;
  const kept = `goes on with ${goOn} connections and ${links.size} links of the relay before`;
  say(new Error(`${kept}; had to close ${closed} connections, ${lost} of them with a request on a link`));
}

function say(error: Error): void {
  process.stderr.write(`bpf-relay: ${error.message}\n`);
}

const program = new Command("bpf-relay")
  .description(
    "Answers requests that the kernel does not decide. Started by bpf-applier, which speaks to it by descriptor 3.",
  )
  .requiredOption("--origins <path>", "pin of the map that says whose connections come in")
  .option(
    "--line <path>",
    "socket by which an agent that comes later speaks to it; it ends with its agent if left out",
  )
  .option("--identity <text>", "what it tells an agent to know it by", "")
  .option(
    "--holder <path>",
    "socket of the process that keeps listeners and connections when this one dies; started where there is none",
  )
  .option("--switching <folder>", "pins by which programs take requests off the way")
  .showHelpAfterError()
  .action(run);

program.parseAsync().catch((error: Error) => {
  say(error);
  process.exit(1);
});
