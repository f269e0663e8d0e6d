// Compiles the programs to build/, those that are not newer than every source.
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, statSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));
const programs = [
  "keelson.bpf.c",
  "dialled.bpf.c",
  "switching/switching.bpf.c",
  "switching/balance-try.bpf.c",
  "match/try.bpf.c",
  "count-try.bpf.c",
];

const sources = ["", "hooks/", "match/", "switching/", "gen/"].flatMap((folder) =>
  readdirSync(here + folder)
    .filter((file) => /\.[ch]$/.test(file))
    .map((file) => here + folder + file),
);

function isFresh(output) {
  const built = statSync(output, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  return [...sources, fileURLToPath(import.meta.url)].every((file) => statSync(file).mtimeMs < built);
}

for (const program of programs) {
  const output = `${here}build/${basename(program, ".c")}.o`;
  if (isFresh(output)) continue;
  mkdirSync(`${here}build`, { recursive: true });
  const triple = execFileSync("g++", ["-dumpmachine"], { encoding: "utf8" }).trim();
  execFileSync(
    "clang",
    [
      ..."-target bpf -mcpu=v3 -O2 -g -Wall -Wextra -Werror -Wno-unused-parameter".split(" "),
      // The target "bpf" does not know where Debian keeps the architecture's <asm/types.h>.
      `-I/usr/include/${triple}`,
      "-c",
      here + program,
      "-o",
      output,
    ],
    { stdio: "inherit" },
  );
}
