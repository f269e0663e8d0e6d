// Compiles programs/*.c to build/, each unless it is newer than every source.
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));
const build = `${here}build/`;
const sources = readdirSync(`${here}programs`).map((file) => `${here}programs/${file}`);
const newest = Math.max(
  ...[...sources, fileURLToPath(import.meta.url)].map((file) => statSync(file).mtimeMs),
);
// Static, so that they run in guests as they are.
const flags = "-std=gnu11 -D_GNU_SOURCE -O2 -Wall -Wextra -Werror -static -pthread".split(" ");

mkdirSync(build, { recursive: true });
for (const name of ["server", "caller", "stopped-reader"]) {
  const output = build + name;
  if ((statSync(output, { throwIfNoEntry: false })?.mtimeMs ?? 0) > newest) continue;
  execFileSync("gcc", [...flags, `${here}programs/${name}.c`, "-o", output], { stdio: "inherit" });
}
