// npm run demo: bookinfo through eBPF, before a rule and after it.
import { WorldInUse } from "../world/lock.ts";
import { type DemoCommand, help, parseDemoArguments } from "./arguments.ts";
import { execInPod, send } from "./by-hand.ts";
import { runDemo } from "./run-demo.ts";

function run(command: DemoCommand): Promise<number> {
  if (command.kind === "run") return runDemo(command.options);
  if (command.kind === "send") return send(command.world, command.requests);
  if (command.kind === "exec") return execInPod(command.world, command.pod, command.command);
  if (command.kind === "help") process.stdout.write(help);
  else process.stderr.write(`${command.message}\n\n${help}`);
  return Promise.resolve(command.kind === "help" ? 0 : 2);
}

function explain(error: unknown): string {
  if (error instanceof WorldInUse) {
    return `a demo runs already; end it with: kill ${error.owner}, or give this one a name of its own with --world`;
  }
  return error instanceof Error ? error.message : String(error);
}

const exitCode = await run(parseDemoArguments(process.argv.slice(2))).catch((error: unknown) => {
  process.stderr.write(`demo: ${explain(error)}\n`);
  return 1;
});
// A reader that went away must not keep the process from ending.
process.exit(exitCode);
