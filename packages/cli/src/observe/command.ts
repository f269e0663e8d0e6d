import { addObserveOptions, type ObserveFlags, showLines, wantedOf } from "@keelson/bpf-applier/observe";
import { Command } from "commander";
import { ControlPlaneClient } from "../control-plane/client.ts";
import { serverOption } from "../control-plane/server-option.ts";
import { type ExitCode, exitCodes } from "../exit-codes.ts";

interface Flags extends ObserveFlags {
  readonly server: string;
  readonly node?: string;
}

export const observeCommand = (end: (code: ExitCode) => void): Command =>
  addObserveOptions(
    new Command("observe")
      .summary("show single requests as they happen")
      .description(
        `Shows single requests of callers on one node, or on all nodes that are connected: those that the node's relay carries, those that the kernel switches, and those that the kernel counts on native connections (bpf-applier run --sockets).

Nobody waits for a reader: what comes faster than it is read is lost, and said so. While nobody observes, nothing is done for it.`,
      )
      .option("--node <name>", "only of this node")
      .addOption(serverOption()),
  )
    .addHelpText(
      "after",
      `
Examples:
  keelson observe -f
  keelson observe --node node-1 --to reviews --status 5xx -o wide -f
  keelson observe --from shop/web --route canary -n 20
  keelson observe --sample 1/100 --for 60 -o json | jq -r .request.status | sort | uniq -c

JSON has one object on each line:
  {"node", "request"}  a request
  {"node", "lost"}     so many more that nobody read in time
  {"node", "ended"}    why a node tells no more

Exit codes:
  0  requests were shown, or there were none
  1  the control plane did not answer, the node is not connected to it, or
     either went away meanwhile
  2  wrong usage`,
    )
    .action(async (flags: Flags) => {
      const client = new ControlPlaneClient(flags.server);
      const lines = await client.observe(wantedOf(flags), flags.node);
      const output = {
        write: (text: string) => process.stdout.write(text),
        warn: (text: string) => process.stderr.write(`keelson: ${text}`),
      };
      const isDone = await showLines(lines, flags, output, flags.node === undefined);
      end(isDone ? exitCodes.ok : exitCodes.failed);
    });
