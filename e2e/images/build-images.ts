import { access, mkdir, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { runLongCommand, type Say } from "../peers/install/long-command.ts";
import { workspaceFolder } from "../world/workspace.ts";
import { buildah, buildahArguments, imageCache } from "./storage.ts";

export const images = ["pilot", "bpf-applier"] as const;
export type ImageName = (typeof images)[number];

export const imageTag = (name: ImageName): string => `localhost/keelson-test/${name}:latest`;
export const baseTag = "localhost/keelson-test/base:latest";

const suite = "bookworm";

/** What a build behind a proxy needs of this machine: its package managers' settings, and whom it trusts. */
const ownSettings = ["/etc/npmrc", join(homedir(), ".npmrc"), "/usr/local/share/ca-certificates"];

async function run(say: Say, what: string, file: string, args: readonly string[]): Promise<void> {
  let last = "";
  await mkdir(imageCache, { recursive: true });
  await runLongCommand({
    file,
    args,
    cwd: workspaceFolder,
    logFolder: imageCache,
    say,
    onLine: (line) => {
      last = line;
    },
    progress: () => `${what}: ${last.slice(0, 100)}`,
  });
}

/** A smallest Debian, from its own archive; kept, as it changes with point releases only. */
export async function makeBase(say: Say): Promise<void> {
  if ((await buildah("images", "--quiet", "--filter", `reference=${baseTag}`)) !== "") return;
  const folder = join(imageCache, "base");
  await rm(folder, { recursive: true, force: true });
  await run(say, "debootstrap", "debootstrap", ["--variant=minbase", suite, folder]);
  // Packages that are installed, and lists that every build gets anew.
  for (const left of ["var/cache/apt", "var/lib/apt/lists"])
    await rm(join(folder, left), { recursive: true, force: true });
  const container = await buildah("from", "scratch");
  await run(say, "import", "buildah", buildahArguments("add", "--quiet", container, folder, "/"));
  await buildah("commit", "--quiet", "--rm", container, baseTag);
  await rm(folder, { recursive: true, force: true });
}

/** Builds an image of this checkout; what the build of the other one has made is used again. */
export async function buildImage(name: ImageName, say: Say): Promise<void> {
  const settings: string[] = [];
  for (const path of ownSettings) {
    const isThere = await access(path).then(
      () => true,
      () => false,
    );
    const inside = path.replace(homedir(), "/root");
    if (isThere) settings.push(`--volume=${path}:${inside}:ro`);
  }
  const args = [
    "bud",
    "--isolation=chroot",
    "--layers",
    "--pull-never",
    ...settings,
    `--build-arg=BASE_IMAGE=${baseTag}`,
    `--target=${name}`,
    `--tag=${imageTag(name)}`,
    "--file=docker/Dockerfile",
    workspaceFolder,
  ];
  await run(say, name, "buildah", buildahArguments(...args));
}
