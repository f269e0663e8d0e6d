// Where the project's own tools are, and how to run them.
import { spawnSync } from "node:child_process";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("..", import.meta.url));

/** Node 24 and pnpm live here, apart from the workspace, which needs them to be installed. */
export const toolsFolder = join(root, ".tools");

/** PATH with the workspace's and the project's own tools first. */
export function toolPath() {
  return [join(root, "node_modules/.bin"), join(toolsFolder, "node_modules/.bin"), process.env.PATH].join(
    delimiter,
  );
}

/** Runs a command to its end with our tools on the PATH; ends this process if it fails. */
export function run(command, args, options = {}) {
  const result = spawnSync(command, args, {
    cwd: root,
    stdio: "inherit",
    ...options,
    env: { ...process.env, ...options.env, PATH: toolPath() },
  });
  if (result.error) {
    console.error(`${command}: ${result.error.message}`);
    process.exit(1);
  }
  if (result.status !== 0) {
    if (result.stdout) process.stdout.write(result.stdout);
    if (result.stderr) process.stderr.write(result.stderr);
    console.error(`failed: ${command} ${args.join(" ")}`);
    process.exit(result.status ?? 1);
  }
  return result;
}
