import { Command, CommanderError } from "commander";
import { checkCommand } from "./check/command.ts";
import { type ExitCode, exitCodes, UserError } from "./exit-codes.ts";
import { explainCommand } from "./explain/command.ts";
import { observeCommand } from "./observe/command.ts";
import { printable } from "./output/printable.ts";
import { statusCommand } from "./status/command.ts";
import { validateCommand } from "./validate/command.ts";
import { programVersion } from "./version.ts";

/**
 * Runs one command line; everything it has to say is written to stdout and stderr.
 * @returns what the process should end with
 */
export async function run(args: readonly string[]): Promise<ExitCode> {
  let exitCode: ExitCode = exitCodes.ok;
  const program = makeProgram((code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync(args, { from: "user" });
    return exitCode;
  } catch (error) {
    // Commander has said already what is wrong with the command line; asked for help, it ends with 0.
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
    if (error instanceof UserError) {
      process.stderr.write(`keelson: ${printable(error.message)}\n`);
      return error.exitCode;
    }
    const stack = error instanceof Error ? error.stack : String(error);
    process.stderr.write(`keelson: this is a bug of keelson ${programVersion}, please report it: ${stack}\n`);
    return exitCodes.failed;
  }
}

/** @param end told what the command that ran ended with */
function makeProgram(end: (code: ExitCode) => void): Command {
  const program = new Command("keelson")
    .description("Checks rules before they are applied, and says what became of them.")
    .version(programVersion)
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error:/, "keelson:")) })
    .showHelpAfterError("keelson --help shows the commands")
    .addHelpText("after", "\nkeelson COMMAND --help shows a command's options, examples and exit codes.");
  const commands = [
    validateCommand(end),
    explainCommand(end),
    statusCommand(end),
    observeCommand(end),
    checkCommand(end),
  ];
  for (const command of commands) {
    program.addCommand(
      command
        .copyInheritedSettings(program)
        .showHelpAfterError(`keelson ${command.name()} --help shows how it is used`),
    );
  }
  return program;
}
