// Compiles keelson.bpf.c to build/keelson.bpf.o, unless that is newer than every source.
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));
const output = `${here}build/keelson.bpf.o`;

const sources = ["", "hooks/", "gen/"].flatMap((folder) =>
  readdirSync(here + folder)
    .filter((file) => /\.[ch]$/.test(file))
    .map((file) => here + folder + file),
);

function isFresh() {
  const built = statSync(output, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  return [...sources, fileURLToPath(import.meta.url)].every((file) => statSync(file).mtimeMs < built);
}

if (!isFresh()) {
  mkdirSync(`${here}build`, { recursive: true });
  const triple = execFileSync("g++", ["-dumpmachine"], { encoding: "utf8" }).trim();
  execFileSync(
    "clang",
    [
      ..."-target bpf -mcpu=v3 -O2 -g -Wall -Wextra -Werror -Wno-unused-parameter".split(" "),
      // The target "bpf" does not know where Debian keeps the architecture's <asm/types.h>.
      `-I/usr/include/${triple}`,
      "-c",
      `${here}keelson.bpf.c`,
      "-o",
      output,
    ],
    { stdio: "inherit" },
  );
}
