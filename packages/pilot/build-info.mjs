// Writes gen/build-info.json: which commit this is built from. Without git, or outside a checkout, nothing is known.
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";

const file = new URL("gen/build-info.json", import.meta.url);

function git(...args) {
  return execFileSync("git", args, {
    cwd: import.meta.dirname,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  }).trim();
}

function buildInfo() {
  try {
    const changed = git("status", "--porcelain", "--untracked-files=no", "--", "..");
    return { revision: git("rev-parse", "HEAD"), status: changed === "" ? "Clean" : "Modified" };
  } catch {
    return { revision: "unknown", status: "unknown" };
  }
}

const text = `${JSON.stringify(buildInfo())}\n`;
let known = "";
try {
  known = readFileSync(file, "utf8");
} catch {
  // not written yet
}
if (text !== known) {
  mkdirSync(new URL(".", file), { recursive: true });
  writeFileSync(file, text);
}
