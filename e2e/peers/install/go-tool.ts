import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { exec } from "../../kernels/exec.ts";
import { cacheDirectory } from "../../kernels/kernel-cache.ts";
import { type GoModule, oldestGo } from "../versions.ts";
import { runLongCommand, type Say } from "./long-command.ts";

/** Modules and compiled packages stay in the cache folder, so that a build that was broken off goes on where it was. */
function goEnvironment(): Record<string, string> {
  const folder = join(cacheDirectory(), "go");
  return {
    GOPATH: join(folder, "path"),
    GOMODCACHE: join(folder, "path", "pkg", "mod"),
    GOCACHE: join(folder, "build"),
    GOFLAGS: "-modcacherw -trimpath -buildvcs=false",
    // No download of another Go, no workspace of the user's, no C library: the programs run in any namespace or image.
    GOTOOLCHAIN: "local",
    GOWORK: "off",
    CGO_ENABLED: "0",
  };
}

/** "1.26.8" as numbers; a part that is none, as of a development version, counts as 0. */
function numbers(version: string): number[] {
  return version.split(".").map((part) => Number.parseInt(part, 10) || 0);
}

/** @throws Error if there is no Go, or one that is too old for the modules. */
async function requireGo(): Promise<void> {
  const found = await exec("go", ["env", "GOVERSION"]).catch((error: Error) => {
    throw new Error(`Go ${oldestGo} or newer is needed to build it, and go cannot be run: ${error.message}`);
  });
  const [have, want] = [numbers(found.trim().replace(/^go/, "")), numbers(oldestGo)];
  const differing = want.findIndex((number, index) => (have[index] ?? 0) !== number);
  if (differing >= 0 && (have[differing] ?? 0) < (want[differing] ?? 0))
    throw new Error(`Go ${oldestGo} or newer is needed to build it; found ${found.trim()}`);
}

const downloadedModule = z.object({ Dir: z.string(), Sum: z.string() });

/**
 * Downloads a module, unless it is there.
 * @returns the folder of its source, in the module cache; read-only for all but Go.
 * @throws Error if it is not the module whose hash is pinned.
 */
export async function downloadModule({ module, version, sum }: GoModule): Promise<string> {
  await requireGo();
  const answer = await exec("go", ["mod", "download", "-json", `${module}@${version}`], {
    cwd: await emptyFolder(),
    env: goEnvironment(),
  });
  const about = downloadedModule.parse(JSON.parse(answer));
  if (about.Sum !== sum)
    throw new Error(`${module}@${version} has the hash ${about.Sum}, but versions.ts expects ${sum}`);
  return about.Dir;
}

/** A folder that is in no module, for calls that name module and version themselves. */
async function emptyFolder(): Promise<string> {
  const folder = join(cacheDirectory(), "go", "nowhere");
  await mkdir(folder, { recursive: true });
  return folder;
}

export interface GoBuild {
  /** What to build: a package; with @VERSION if it is to be built with its own module's dependencies. */
  readonly package: string;
  /** The module to build in. Left out for a package@VERSION. */
  readonly moduleFolder?: string;
  readonly tags?: readonly string[];
  /** String variables that the linker sets. */
  readonly variables?: Readonly<Record<string, string>>;
  /** Lets go build complete go.mod and go.sum. */
  readonly completeModule?: boolean;
}

/** Builds a program into a folder, under the last part of its package's name. */
export async function goBuild(build: GoBuild, folder: string, say: Say): Promise<void> {
  await requireGo();
  const variables = Object.entries(build.variables ?? {}).map(([name, value]) => `-X ${name}=${value}`);
  const seen = new GoProgress();
  await runLongCommand({
    file: "go",
    args: [
      "install",
      "-v",
      ...(build.completeModule === true ? ["-mod=mod"] : []),
      ...(build.tags ? ["-tags", build.tags.join(",")] : []),
      "-ldflags",
      ["-s -w", ...variables].join(" "),
      build.package,
    ],
    cwd: build.moduleFolder ?? (await emptyFolder()),
    env: { ...process.env, ...goEnvironment(), GOBIN: folder },
    logFolder: folder,
    say,
    onLine: (line) => seen.see(line),
    progress: () => seen.now,
  });
}

/** What `go install -v` says: a line for each module it downloads and each package it compiles; linking comes last. */
class GoProgress {
  private modules = 0;
  private packages = 0;
  private last = "reading the list of modules";

  see(line: string): void {
    if (line.startsWith("go: ")) {
      if (line.startsWith("go: downloading ")) this.modules += 1;
      this.last = line.slice("go: ".length);
    } else {
      this.packages += 1;
      this.last = `at ${line}`;
    }
  }

  get now(): string {
    return `${this.modules} modules downloaded, ${this.packages} packages compiled, ${this.last}`;
  }
}
