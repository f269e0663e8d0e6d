import { access, mkdir, readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  type DebianMirrors,
  downloadPackages,
  openApt,
  type PackageRecord,
  type PrivateApt,
  showPackage,
} from "./apt.ts";
import { exec } from "./exec.ts";
import {
  type CachedKernel,
  cacheDirectory,
  findKernel,
  type KernelRecord,
  kernelDirectory,
  listKernels,
  type WantedKernel,
} from "./kernel-cache.ts";

/** The package whose dependencies name the suite's current cloud kernel. */
const metaPackage = "linux-image-cloud-amd64";

/**
 * Brings the suite's current cloud kernel into the cache, or finds that it is there already.
 * The kernel is kept under the series it turns out to have: sid moves on.
 */
export async function fetchKernel(
  wanted: WantedKernel,
  mirrors: DebianMirrors,
  say: (line: string) => void,
): Promise<CachedKernel> {
  const apt = await openApt(join(cacheDirectory(), "apt", wanted.suite), wanted.suite, mirrors);
  try {
    const packages = await kernelPackages(apt);
    const version = packages[0]?.version ?? "";
    const series = seriesOf(version);
    const there = (await listKernels()).find((k) => k.series === series && k.packageVersion === version);
    if (there) {
      say(`kernel ${series}: ${version} from ${wanted.suite} is there already`);
      return there;
    }
    say(
      `kernel ${series}: downloading ${packages.map((p) => p.name).join(", ")} (${version}, ${wanted.suite})`,
    );
    await unpackKernel(apt, packages, { series, packageVersion: version, suite: wanted.suite });
    return await findKernel(series);
  } finally {
    await rm(apt.directory, { recursive: true, force: true });
  }
}

/** "6.1" of the package version "6.1.176-1". */
export function seriesOf(packageVersion: string): string {
  const series = /^\d+\.\d+/.exec(packageVersion)?.[0];
  if (!series)
    throw new Error(`kernel package version "${packageVersion}" does not begin with a series such as 6.1`);
  return series;
}

/**
 * The packages that hold the image and the modules. One package carries both up to Debian 13; later the image
 * package only depends on linux-binary, linux-modules and linux-base (modules.builtin) packages of its release.
 */
async function kernelPackages(apt: PrivateApt): Promise<PackageRecord[]> {
  const queue = [metaPackage];
  const packages: PackageRecord[] = [];
  for (const name of queue) {
    const record = await showPackage(apt, name);
    if (name !== metaPackage) packages.push(record);
    queue.push(
      ...record.depends.filter((d) => /^linux-(image|binary|modules|base)-\d/.test(d) && !queue.includes(d)),
    );
  }
  if (packages.length === 0) throw new Error(`${metaPackage} depends on no linux-image package`);
  return packages;
}

async function unpackKernel(
  apt: PrivateApt,
  packages: readonly PackageRecord[],
  about: Omit<KernelRecord, "release">,
): Promise<void> {
  const downloads = join(apt.directory, "downloads");
  await downloadPackages(apt, packages, downloads);
  const target = kernelDirectory(about.series);
  const partial = `${target}.partial`;
  await rm(partial, { recursive: true, force: true });
  await mkdir(partial, { recursive: true });
  for (const file of await readdir(downloads)) await exec("dpkg", ["-x", join(downloads, file), partial]);
  const release = await layOut(partial);
  await exec("depmod", ["-b", partial, release]);
  await writeFile(join(partial, "kernel.json"), `${JSON.stringify({ ...about, release }, null, 2)}\n`);
  await rm(target, { recursive: true, force: true });
  await rename(partial, target);
}

/**
 * Moves what dpkg unpacked to where {@link findKernel} expects it, vmlinuz and lib/modules/RELEASE, and removes
 * the rest. Packages differ: modules in /lib or /usr/lib, the image in /boot or, after Debian 13, beside the modules.
 * Returns the release.
 */
async function layOut(directory: string): Promise<string> {
  const modules = join(directory, "lib", "modules");
  const inUsr = join(directory, "usr", "lib", "modules");
  if (await isThere(inUsr)) {
    await mkdir(join(directory, "lib"), { recursive: true });
    await rename(inUsr, modules);
  }
  const [release, ...more] = await readdir(modules);
  if (!release || more.length > 0)
    throw new Error(
      `expected one lib/modules/RELEASE in the kernel's packages, found: ${[release, ...more].join(", ")}`,
    );
  const images = [join(directory, "boot", `vmlinuz-${release}`), join(modules, release, "vmlinuz")];
  for (const image of images) if (await isThere(image)) await rename(image, join(directory, "vmlinuz"));
  if (!(await isThere(join(directory, "vmlinuz"))))
    throw new Error(`no kernel image in the packages; looked for ${images.join(" and ")}`);
  for (const rest of ["boot", "usr"]) await rm(join(directory, rest), { recursive: true, force: true });
  return release;
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
