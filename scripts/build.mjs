// Generates what is generated, compiles what is compiled. Each step does nothing when it is up to date.
import { run } from "./tools.mjs";

const quiet = { stdio: ["ignore", "pipe", "pipe"] };

run("pnpm", ["--recursive", "--if-present", "run", "generate"], quiet);
run("pnpm", ["--recursive", "--if-present", "run", "build:native"], quiet);
run("tsc", ["--build"], quiet);
