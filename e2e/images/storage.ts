import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { exec } from "../kernels/exec.ts";
import { cacheDirectory } from "../kernels/kernel-cache.ts";

/** All of this run is kept here, apart from what the machine's own buildah has. */
export const imageCache = join(cacheDirectory(), "images");

/** Without overlays and without a daemon: works in any root shell, at the price of a copy for each layer. */
const storage = [
  "--storage-driver=vfs",
  `--root=${join(imageCache, "storage")}`,
  `--runroot=${join(imageCache, "run")}`,
];

/** Arguments of buildah, with where its images are. */
export const buildahArguments = (...args: readonly string[]): string[] => [...storage, ...args];

/** @returns what buildah says @throws ToolError with its last lines */
export const buildah = async (...args: readonly string[]): Promise<string> =>
  (await exec("buildah", buildahArguments(...args))).trim();

/** What an image says of the programs that run from it. */
export interface ImageConfig {
  readonly User?: string;
  readonly WorkingDir?: string;
  readonly Entrypoint?: readonly string[];
  readonly Env?: readonly string[];
}

/** An image's files, as a folder of its own that may be written, until it is closed. */
export class OpenImage implements AsyncDisposable {
  readonly root: string;
  readonly config: ImageConfig;
  private readonly container: string;

  private constructor(container: string, root: string, config: ImageConfig) {
    this.container = container;
    this.root = root;
    this.config = config;
  }

  static async open(image: string): Promise<OpenImage> {
    const container = await buildah("from", "--pull-never", image);
    const inspected = JSON.parse(await buildah("inspect", "--type=container", container)) as {
      OCIv1: { config: ImageConfig };
    };
    return new OpenImage(container, await buildah("mount", container), inspected.OCIv1.config);
  }

  /** A base with somebody else's program in it, as an image that names it. */
  static async of(
    base: string,
    program: string,
    config: ImageConfig & { readonly Entrypoint: readonly [string] },
  ): Promise<OpenImage> {
    const { container, root } = await OpenImage.open(base);
    await copyFile(program, join(root, config.Entrypoint[0]));
    return new OpenImage(container, root, config);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await buildah("rm", this.container);
  }
}
