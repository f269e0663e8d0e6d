import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { exec } from "../kernels/exec.ts";
import { containerScript, type Mount } from "../node-runner/container-script.ts";
import { peerRunFolder } from "../peers/peer-process.ts";
import type { OpenImage } from "./storage.ts";

export interface Rights {
  readonly user: number;
  /** Without "CAP_". */
  readonly capabilities: readonly string[];
  readonly mounts: readonly Mount[];
}

/**
 * Runs a program of an image to its end, as a container with a root file system that cannot be written.
 * @returns what it says @throws ToolError if it ends with anything but 0
 */
export async function runInImage(
  { root, config }: OpenImage,
  command: readonly string[],
  { user, capabilities, mounts }: Rights,
): Promise<string> {
  const hostsFile = join(await peerRunFolder("image"), "hosts");
  await writeFile(hostsFile, "127.0.0.1 localhost\n");
  const script = containerScript({
    root,
    mounts,
    hostsFile,
    user,
    group: user,
    workingDirectory: config.WorkingDir || "/",
    securityContext: {
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"], add: [...capabilities] },
    },
    environment: { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" },
    command,
  });
  return exec("unshare", ["--mount", "--propagation=private", "sh", "-c", script]);
}
