// Compiles programs/*.bpf.c and calls.c to build/, each unless it is newer than every source.
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, statSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));
const build = `${here}build/`;
const programs = readdirSync(`${here}programs`).map((file) => `${here}programs/${file}`);
// What they share with the product's programs: heads.bpf.c reads requests as those do.
const shared = ["match/", "gen/"].flatMap((folder) =>
  readdirSync(`${here}../../bpf/${folder}`)
    .filter((file) => file.endsWith(".h"))
    .map((file) => `${here}../../bpf/${folder}${file}`),
);
const structures = `${here}../../bpf/kernel.h`;
const sources = [...programs, ...shared, structures, `${here}calls.c`, fileURLToPath(import.meta.url)];
const newest = Math.max(...sources.map((file) => statSync(file).mtimeMs));

function compile(target, program, flags) {
  const output = build + target;
  if ((statSync(output, { throwIfNoEntry: false })?.mtimeMs ?? 0) > newest) return;
  execFileSync(program, [...flags, "-o", output], { stdio: "inherit" });
}

mkdirSync(build, { recursive: true });
const triple = execFileSync("g++", ["-dumpmachine"], { encoding: "utf8" }).trim();
const toBpf = [
  ..."-target bpf -mcpu=v3 -O2 -g -Wall -Wextra -Werror -Wno-unused-parameter".split(" "),
  // The target "bpf" does not know where Debian keeps the architecture's <asm/types.h>.
  `-I/usr/include/${triple}`,
  "-c",
];
for (const source of programs.filter((file) => file.endsWith(".bpf.c")))
  compile(basename(source).replace(/c$/, "o"), "clang", [...toBpf, source]);
// Static, so that it runs in guests as it is.
compile("calls", "gcc", [
  ..."-std=gnu11 -O2 -Wall -Wextra -Werror -static -pthread".split(" "),
  `${here}calls.c`,
]);
