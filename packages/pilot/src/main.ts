#!/usr/bin/env node
import { startLean } from "./lean-heap.ts";

startLean();
// Only now: whatever is loaded before would be loaded twice.
const { run } = await import("./program/program.ts");
const exitCode = await run(process.argv.slice(2), {
  environment: process.env,
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
});
if (exitCode !== undefined) process.exitCode = exitCode;
