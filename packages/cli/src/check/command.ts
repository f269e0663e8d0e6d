import { hostname } from "node:os";
import { isNodeName } from "@keelson/model/names";
import { Command } from "commander";
import { type ExitCode, exitCodes, UserError } from "../exit-codes.ts";
import { type OutputFormat, outputOption, print } from "../output/format.ts";
import { nodeGroups } from "./node.ts";
import { checkReport } from "./report.ts";
import { checkText } from "./text.ts";

interface CheckFlags {
  readonly output: OutputFormat;
  readonly pre?: true;
  readonly nodeName: string;
  readonly cgroup?: string;
}

export const checkCommand = (end: (code: ExitCode) => void): Command =>
  new Command("check")
    .summary("look whether this node can be installed on, and who else is on it")
    .description(
      `Looks at the node that it runs on: what the kernel offers, tried out by loading what is needed, the rights of this
process, where cgroup v2 and bpffs are mounted, which other programs hang on the same hooks, and what kube-proxy does.
Nothing is attached, and nothing stays behind. Each line says what was found, and what to do:
  ok        as it should be
  warning   works, but should be known
  error     does not work until something is done about it
  skipped   could not be looked at from here`,
    )
    .addOption(outputOption())
    .requiredOption("--pre", "before anything is installed")
    .option(
      "--node-name <name>",
      "name of this node, as in the pods' spec.nodeName",
      process.env["NODE_NAME"] ?? hostname(),
    )
    .option(
      "--cgroup <path>",
      "the cgroup v2 folder at which callers are to be served (default: the mount's root)",
    )
    .addHelpText(
      "after",
      `
Examples:
  sudo keelson check --pre
  sudo keelson check --pre --cgroup /sys/fs/cgroup/kubepods.slice
  sudo keelson check --pre -o json | jq '.groups[].findings[] | select(.state == "error")'

Exit codes:
  0  no errors; warnings do not count
  1  at least one error
  2  wrong usage`,
    )
    .action(async (flags: CheckFlags) => {
      const { output, nodeName, cgroup } = flags;
      if (!isNodeName(nodeName)) {
        const wanted = 'lower-case letters, digits, "-" and "."';
        throw new UserError(
          `"${nodeName}" names no node (${wanted}): give it with --node-name`,
          exitCodes.usage,
        );
      }
      const groups = await nodeGroups({ node: nodeName, ...(cgroup === undefined ? {} : { cgroup }) });
      const report = checkReport("pre", [`node ${nodeName}`], groups);
      print(report, output, checkText);
      end(report.counts.error === 0 ? exitCodes.ok : exitCodes.failed);
    });
