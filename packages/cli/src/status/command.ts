import { Command, InvalidArgumentError, Option } from "commander";
import { ControlPlaneClient } from "../control-plane/client.ts";
import { serverOption } from "../control-plane/server-option.ts";
import { type ExitCode, exitCodes } from "../exit-codes.ts";
import { type OutputFormat, outputOption, render } from "../output/format.ts";
import { paintFor } from "../output/paint.ts";
import { statusReport } from "./node-state.ts";
import { statusText } from "./text.ts";
import { watch } from "./watch.ts";

interface StatusFlags {
  output: OutputFormat;
  server: string;
  /** Seconds; true: the usual time. */
  watch?: number | true;
}

const usualIntervalSeconds = 2;

export const statusCommand = (end: (code: ExitCode) => void): Command =>
  new Command("status")
    .summary("show the control plane, and what each node holds")
    .description(
      `Shows a running control plane, and for each node the version that it should hold, the version that its maps hold, and:
  SYNCED    both are the same
  PENDING   the node has not said yet that it holds what it was sent
  REJECTED  the node cannot hold it, says why, and goes on with what it held before`,
    )
    .addOption(outputOption())
    .addOption(serverOption())
    .addOption(
      new Option("-w, --watch [seconds]", `look again every few seconds (default: ${usualIntervalSeconds})`)
        .argParser(parseSeconds)
        .conflicts("output"),
    )
    .addHelpText(
      "after",
      `
Examples:
  keelson status
  keelson status --watch
  keelson status --server http://127.0.0.1:8080 -o yaml
  keelson status -o json | jq -r '.nodes[] | select(.state != "SYNCED") | .name'

Exit codes:
  0  the control plane answered
  1  it did not
  2  wrong usage`,
    )
    .action(async (flags: StatusFlags) => {
      const client = new ControlPlaneClient(flags.server);
      const look = async (): Promise<string> => {
        const report = statusReport(client.server, await client.status());
        const now = new Date();
        return render(report, flags.output, paintFor(process.stdout), (shown, paint) =>
          statusText(shown, now, paint),
        );
      };
      if (flags.watch === undefined) process.stdout.write(await look());
      else await watchUntilInterrupted(look, flags.watch === true ? usualIntervalSeconds : flags.watch);
      end(exitCodes.ok);
    });

async function watchUntilInterrupted(look: () => Promise<string>, seconds: number): Promise<void> {
  const interrupted = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => interrupted.abort());
  await watch(look, seconds * 1000, interrupted.signal);
}

function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (!(seconds >= 0.1 && seconds <= 86_400)) {
    throw new InvalidArgumentError("Expected seconds between 0.1 and 86400.");
  }
  return seconds;
}
