// npm run e2e -- images: builds both images on a base made by debootstrap, and looks at them.
import { findProgram } from "../kernels/exec.ts";
import { formatTable } from "../peers/install/table.ts";
import { buildImage, type ImageName, images, imageTag, makeBase } from "./build-images.ts";
import { faultsOf } from "./look-at-image.ts";
import { buildah, OpenImage } from "./storage.ts";

const print = (line: string): void => void process.stdout.write(`${line}\n`);

async function whatIsMissing(): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return "images are built as root";
  for (const name of ["buildah", "debootstrap"]) {
    if ((await findProgram(name)) === undefined)
      return `there is no ${name}; install the Debian package of that name`;
  }
  return undefined;
}

async function sizeOf(name: ImageName): Promise<string> {
  const listed = JSON.parse(await buildah("images", "--json", imageTag(name))) as { size: string }[];
  return listed[0]?.size ?? "?";
}

async function main(): Promise<number> {
  const missing = await whatIsMissing();
  if (missing !== undefined) {
    process.stderr.write(`${missing}\n`);
    return 2;
  }
  await makeBase(print);
  const rows: string[][] = [];
  for (const name of images) {
    const started = performance.now();
    await buildImage(name, print);
    const seconds = Math.round((performance.now() - started) / 1000);
    await using image = await OpenImage.open(imageTag(name));
    const faults = await faultsOf(name, image);
    rows.push([name, await sizeOf(name), `${seconds} s`, faults.length === 0 ? "good" : faults.join("; ")]);
  }
  print(formatTable(["image", "size", "built in", "state"], rows));
  return rows.every((row) => row.at(-1) === "good") ? 0 : 1;
}

if (import.meta.main) process.exitCode = await main();
