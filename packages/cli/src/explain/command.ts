import { Command, Option } from "commander";
import { ControlPlaneClient } from "../control-plane/client.ts";
import { serverOption } from "../control-plane/server-option.ts";
import { domainOption } from "../domain-option.ts";
import { type ExitCode, exitCodes } from "../exit-codes.ts";
import { count } from "../output/count.ts";
import { type OutputFormat, outputOption, print } from "../output/format.ts";
import { countBySeverity } from "../output/problem-text.ts";
import { explainDirectory, explainRemote } from "./explain.ts";
import { explanationsText } from "./text.ts";

interface ExplainFlags {
  output: OutputFormat;
  configDir?: string;
  server: string;
  domain: string;
}

export const explainCommand = (end: (code: ExitCode) => void): Command =>
  new Command("explain")
    .summary("say what callers of a service get, and why")
    .description(
      [
        "Says for each port of a service which rules count, where connections go, on which tier they are decided,",
        "and why. Asks a running control plane, or compiles a directory as that would.",
      ].join(" "),
    )
    .argument(
      "[service]",
      "reviews, reviews.default or reviews.default.svc.cluster.local; without it: all services",
    )
    .addOption(outputOption())
    .addOption(serverOption())
    .addOption(
      new Option("--config-dir <directory>", "compile the files of this directory instead").conflicts(
        "server",
      ),
    )
    .addOption(domainOption())
    .addHelpText(
      "after",
      `
Examples:
  keelson explain reviews
  keelson explain reviews.default --server http://127.0.0.1:8080
  keelson explain --config-dir config/ reviews
  keelson explain -o json reviews | jq '.[].ports[].tier'

Exit codes:
  0  explained
  1  no such service, or the control plane does not answer
  2  wrong usage, or a directory that cannot be read`,
    )
    .action(async (service: string | undefined, flags: ExplainFlags, command: Command) => {
      const { output, configDir, server, domain } = flags;
      if (configDir === undefined && command.getOptionValueSource("domain") !== "default") {
        command.error("keelson: --domain is for --config-dir; a control plane knows its own");
      }
      const { services, problems } =
        configDir === undefined
          ? await explainRemote(new ControlPlaneClient(server), service)
          : await explainDirectory(configDir, domain, service);
      print(services, output, explanationsText);
      const { errors } = countBySeverity(problems);
      if (errors > 0) {
        const how = configDir === undefined ? "keelson status" : `keelson validate ${configDir}`;
        process.stderr.write(
          `keelson: the configuration has ${count(errors, "error")}, and what they name has no effect: see ${how}\n`,
        );
      }
      end(exitCodes.ok);
    });
