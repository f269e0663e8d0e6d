// The one entry behind every npm script: sets up what is missing, builds, then runs the job under Node 24.
// Runs on Node 18 and newer with nothing installed, so it may use only what Node itself brings.
import { join } from "node:path";
import { follow } from "./follow.mjs";
import { setUp } from "./setup.mjs";
import { root, run, toolPath } from "./tools.mjs";

const jobs = {
  setup: { build: true },
  build: { build: true },
  demo: { build: true, command: ["node", "e2e/demo/main.ts"] },
  test: { build: true, command: ["node", "scripts/test.ts"] },
  bench: { build: true, command: ["node", "e2e/bench/main.ts"] },
  e2e: { build: true, command: ["node", "e2e/main.ts"] },
  keelson: { build: true, command: ["node", join(root, "packages/cli/dist/main.js")] },
  crds: { build: true, command: ["node", "scripts/crds.ts"] },
  lint: { build: false, command: ["node", "scripts/lint.ts"] },
  format: { build: false, command: ["biome", "check", "--write", "."] },
};

const [name, ...rest] = process.argv.slice(2);
const job = jobs[name];
if (job === undefined) {
  console.error(`usage: node scripts/run.mjs ${Object.keys(jobs).join("|")} [arguments]`);
  process.exit(2);
}

// Where the job's standard output is for another program to read, nothing else may be in it.
const quiet = name === "keelson" || rest.includes("--json");
setUp({ quiet });
if (job.build) {
  // The first time takes minutes, in which nothing else is said.
  if (!quiet) console.log("building what has changed");
  run("node", ["scripts/build.mjs"]);
}
if (job.command !== undefined) {
  const [command, ...fixed] = job.command;
  process.exitCode = await follow(command, [...fixed, ...rest], {
    // What a user names on the command line is relative to where the user stands, not to the root.
    cwd: name === "keelson" ? (process.env.INIT_CWD ?? root) : root,
    env: { ...process.env, PATH: toolPath() },
  });
}
