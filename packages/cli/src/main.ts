#!/usr/bin/env node
import { exitCodes } from "./exit-codes.ts";
import { run } from "./program.ts";

process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  // A reader that has seen enough, such as head, closes the pipe: no reason to complain.
  if (error.code === "EPIPE") process.exit();
  process.stderr.write(`keelson: cannot write to the standard output: ${error.message}\n`);
  process.exit(exitCodes.failed);
});

process.exitCode = await run(process.argv.slice(2));
