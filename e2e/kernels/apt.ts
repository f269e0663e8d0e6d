import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { exec } from "./exec.ts";

/** The Debian mirrors that this machine's own apt sources name. */
export interface DebianMirrors {
  main: string;
  /** Where suites named CODENAME-security live, if the machine uses such a mirror. */
  security?: string;
}

/** apt with a state, cache and sources of its own, so that another suite never mixes with the machine's. */
export interface PrivateApt {
  directory: string;
  options: readonly string[];
}

const archiveKeyring = "/usr/share/keyrings/debian-archive-keyring.gpg";

/**
 * Reads the mirrors from the machine's apt sources. apt lists targets only for indexes it has fetched, so
 * without any the caller has to run `apt-get update` first.
 */
export async function findMirrors(): Promise<DebianMirrors | undefined> {
  const format = "$(CREATED_BY)|$(LABEL)|$(COMPONENT)|$(REPO_URI)";
  return parseMirrors(await exec("apt-get", ["indextargets", "--format", format]));
}

/** Parses lines of CREATED_BY|LABEL|COMPONENT|REPO_URI; the label is the one of the suite's Release file. */
export function parseMirrors(targets: string): DebianMirrors | undefined {
  const mirrors: Partial<DebianMirrors> = {};
  for (const line of targets.split("\n")) {
    const [createdBy, label, component, uri] = line.split("|");
    if (createdBy !== "Packages" || component !== "main" || !uri) continue;
    if (label === "Debian") mirrors.main ??= uri;
    if (label === "Debian-Security") mirrors.security ??= uri;
  }
  const { main, security } = mirrors;
  return main === undefined ? undefined : { main, ...(security === undefined ? {} : { security }) };
}

/** The text of a deb822 sources file for one suite and its security updates. */
export function sourcesFor(suite: string, mirrors: DebianMirrors): string {
  const security = suite === "sid" ? undefined : mirrors.security;
  return [
    sourceEntry(mirrors.main, suite),
    ...(security ? [sourceEntry(security, `${suite}-security`)] : []),
  ].join("\n");
}

function sourceEntry(uri: string, suite: string): string {
  const fields = { Types: "deb", URIs: uri, Suites: suite, Components: "main", Architectures: "amd64" };
  const lines = Object.entries({ ...fields, "Signed-By": archiveKeyring });
  return lines.map(([name, value]) => `${name}: ${value}\n`).join("");
}

/** Makes a private apt for one suite below `directory` and fetches its indexes; signatures are checked by apt. */
export async function openApt(directory: string, suite: string, mirrors: DebianMirrors): Promise<PrivateApt> {
  await rm(directory, { recursive: true, force: true });
  await mkdir(join(directory, "state", "lists", "partial"), { recursive: true });
  await mkdir(join(directory, "cache", "archives", "partial"), { recursive: true });
  await writeFile(join(directory, "debian.sources"), sourcesFor(suite, mirrors));
  await writeFile(join(directory, "status"), "");
  const settings = {
    "Dir::State": join(directory, "state"),
    "Dir::State::status": join(directory, "status"),
    "Dir::Cache": join(directory, "cache"),
    "Dir::Etc::SourceList": join(directory, "debian.sources"),
    "Dir::Etc::SourceParts": "/dev/null",
    "Dir::Etc::Preferences": "/dev/null",
    "Dir::Etc::PreferencesParts": "/dev/null",
    // The keyring named in the sources is the only one that counts.
    "Dir::Etc::Trusted": "/dev/null",
    "Dir::Etc::TrustedParts": "/dev/null",
    "APT::Architecture": "amd64",
    "APT::Architectures": "amd64",
    // The cache may lie in a home directory that the _apt user can't enter.
    "APT::Sandbox::User": "",
    "APT::Update::Error-Mode": "any",
    "Acquire::Languages": "none",
    "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled": "false",
    "Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled": "false",
  };
  const options = Object.entries(settings).flatMap(([name, value]) => ["-o", `${name}=${value}`]);
  await exec("apt-get", [...options, "update"]);
  return { directory, options };
}

/** One package as apt would choose it. */
export interface PackageRecord {
  name: string;
  version: string;
  depends: string[];
}

/** The candidate version of a package. Throws apt's own message if the suite has none. */
export async function showPackage(apt: PrivateApt, name: string): Promise<PackageRecord> {
  return parsePackage(await exec("apt-cache", [...apt.options, "show", "--no-all-versions", name]));
}

/** Parses the stanza that `apt-cache show` prints; of alternatives in Depends only the first is kept. */
export function parsePackage(stanza: string): PackageRecord {
  const field = (name: string) => new RegExp(`^${name}: (.*)$`, "m").exec(stanza)?.[1];
  const name = field("Package");
  const version = field("Version");
  if (!name || !version) throw new Error(`no Package and Version in what apt-cache show printed: ${stanza}`);
  const depends = (field("Depends") ?? "").split(",").map((d) => d.trim().split(/[\s:(|]/)[0] ?? "");
  return { name, version, depends: depends.filter((d) => d !== "") };
}

/** Downloads packages into a folder; apt checks their hashes against the signed indexes. */
export async function downloadPackages(apt: PrivateApt, packages: readonly PackageRecord[], into: string) {
  await mkdir(into, { recursive: true });
  await exec("apt-get", [...apt.options, "download", ...packages.map((p) => `${p.name}=${p.version}`)], {
    cwd: into,
  });
}

/** The name of the running distribution, such as "Debian GNU/Linux 12 (bookworm)", for messages. */
export async function distributionName(): Promise<string> {
  const text = await readFile("/etc/os-release", "utf8").catch(() => "");
  return /^PRETTY_NAME="?(.*?)"?$/m.exec(text)?.[1] ?? "an unknown distribution";
}
