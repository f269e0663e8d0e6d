// Formatting, lint and types of everything that tsc --build does not see.
import { spawnSync } from "node:child_process";

const checks: [string, string[]][] = [
  ["biome", ["check", "."]],
  ["oxlint", ["--type-aware", "."]],
  ["tsc", ["-p", "scripts"]],
  ["tsc", ["-p", "e2e"]],
];

const failed = checks.filter(([command, args]) => {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: "utf8" });
  if (status !== 0) process.stdout.write(`${stdout}${stderr}`);
  process.stdout.write(`${status === 0 ? "clean" : "FAILED"}: ${command} ${args.join(" ")}\n`);
  return status !== 0;
});
process.exitCode = failed.length === 0 ? 0 : 1;
