import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { PythonPackage } from "../versions.ts";
import { runLongCommand, type Say } from "./long-command.ts";

/** No questions, no look for a newer pip, nothing left in the user's cache. */
const quiet = ["--no-input", "--disable-pip-version-check", "--no-cache-dir"] as const;

/**
 * Installs packages with a virtual environment's pip, or downloads them; none but these, only wheels, and only if
 * their hashes are the pinned ones.
 */
export async function pip(
  python: string,
  subcommand: "install" | "download",
  packages: readonly PythonPackage[],
  folder: string,
  say: Say,
): Promise<void> {
  const requirements = join(folder, "requirements.txt");
  const lines = packages.map(({ name, version, sha256 }) =>
    [`${name}==${version}`, ...sha256.map((hash) => `--hash=sha256:${hash}`)].join(" "),
  );
  await writeFile(requirements, `${lines.join("\n")}\n`);
  const options = [
    ...quiet,
    "--no-deps",
    "--only-binary",
    ":all:",
    "--require-hashes",
    "--requirement",
    requirements,
  ];
  const target = subcommand === "download" ? ["--dest", folder] : [];
  let last = "starting pip";
  await runLongCommand({
    file: python,
    args: ["-m", "pip", subcommand, ...options, ...target],
    cwd: folder,
    logFolder: folder,
    say,
    onLine: (line) => (last = line.trim()),
    progress: () => last,
  });
}
