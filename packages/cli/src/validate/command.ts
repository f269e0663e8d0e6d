import { Command } from "commander";
import { domainOption } from "../domain-option.ts";
import { type ExitCode, exitCodes } from "../exit-codes.ts";
import { type OutputFormat, outputOption, print } from "../output/format.ts";
import { check } from "./check.ts";
import { readInputs } from "./read-inputs.ts";
import { reportText } from "./text.ts";

interface ValidateFlags {
  output: OutputFormat;
  strict?: boolean;
  complete?: boolean;
  domain: string;
}

export const validateCommand = (end: (code: ExitCode) => void): Command =>
  new Command("validate")
    .summary("check configuration files")
    .description(
      [
        "Checks files of Services, EndpointSlices, Pods and the routing rules of Istio (0.2 and today) and of the",
        "Gateway API: syntax, fields, values, and whether rules",
        "fit the services, endpoints and labels that the files hold. What the files do not hold may exist",
        "elsewhere, and is no reason to complain, unless --complete is given.",
      ].join(" "),
    )
    .argument("<file...>", "a YAML or JSON file, a directory of such files, or - for the standard input")
    .addOption(outputOption())
    .option("--strict", "warnings fail, too")
    .option("--complete", "the files are the whole configuration: warn about all that is not in them")
    .addOption(domainOption())
    .addHelpText(
      "after",
      `
Examples:
  keelson validate reviews-rule.yaml
  keelson validate --strict --complete config/
  kubectl get routerules,services -A -o yaml | keelson validate -
  keelson validate -o json config/ | jq -r '.problems[] | .location.file' | sort -u

Exit codes:
  0  no errors; warnings only without --strict
  1  errors in the configuration, or warnings with --strict
  2  wrong usage, or a file that cannot be read`,
    )
    .action(async (inputs: string[], { output, strict = false, complete = false, domain }: ValidateFlags) => {
      const report = check(await readInputs(inputs), { domain, complete });
      print(report, output, reportText);
      const failed = report.errors > 0 || (strict && report.warnings > 0);
      end(failed ? exitCodes.failed : exitCodes.ok);
    });
