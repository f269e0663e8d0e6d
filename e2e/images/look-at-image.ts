import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { cgroup2Mount } from "@keelson/bpf-applier";
import { agentCapabilities } from "../world/agent-rights.ts";
import type { ImageName } from "./build-images.ts";
import { type Rights, runInImage } from "./run-in-image.ts";
import type { OpenImage } from "./storage.ts";

/** A command line that ends by itself with 0, and what it says then. */
interface Try {
  readonly command: readonly string[];
  readonly says: RegExp;
}

interface Expectation {
  readonly program: string;
  /** As the image says it; undefined for root. */
  readonly user: string | undefined;
  /** Run as its pods run it in the chart. */
  readonly rights: (root: string) => Promise<Rights>;
  readonly tries: readonly Try[];
}

const expectations: Readonly<Record<ImageName, Expectation>> = {
  pilot: {
    program: "/usr/local/bin/pilot-discovery",
    user: "1337:1337",
    rights: () => Promise.resolve({ user: 1337, capabilities: [], mounts: [] }),
    tries: [
      { command: ["pilot-discovery", "version"], says: /\(revision / },
      { command: ["id", "-u"], says: /^1337$/m },
      { command: ["sh", "-c", "! touch /x 2>&1"], says: /Read-only file system/ },
      { command: ["grep", "CapEff", "/proc/self/status"], says: /\t0000000000000000$/m },
    ],
  },
  "bpf-applier": {
    program: "/usr/local/bin/bpf-applier",
    user: undefined,
    rights: agentRights,
    tries: [
      { command: ["bpf-applier", "--help"], says: /follow the control plane until stopped/ },
      { command: ["sh", "-c", "! touch /x 2>&1"], says: /Read-only file system/ },
      {
        command: ["keelson", "check", "--pre", "--node-name", "image", "--cgroup", "/host/cgroup"],
        says: /Keelson's programs +all 8 load/,
      },
    ],
  },
};

async function agentRights(root: string): Promise<Rights> {
  const mounts = [
    { folder: "/sys/fs/bpf", at: join(root, "sys/fs/bpf"), readOnly: false },
    { folder: await cgroup2Mount(), at: join(root, "host/cgroup"), readOnly: true },
  ];
  return { user: 0, capabilities: await agentCapabilities(), mounts };
}

/** What builds programs, and has no place where they only run. */
const builders = /^(cc|gcc|g\+\+|c\+\+|clang|cpp|ld|as|make|npm|pnpm|tsc)(-[0-9].*|\.bfd|\.gold|\.lld)?$/;

/** What is wrong with an image that has been built. */
export async function faultsOf(name: ImageName, image: OpenImage): Promise<string[]> {
  const { program, user, rights, tries } = expectations[name];
  const { root, config } = image;
  const faults: string[] = [];
  if (config.Entrypoint?.join(" ") !== program) faults.push(`its entry is ${config.Entrypoint?.join(" ")}`);
  if ((config.User || undefined) !== user) faults.push(`it runs as ${config.User ?? "root"}`);
  const found = await programsIn(root, builders);
  if (found.length > 0) faults.push(`it holds ${found.join(", ")}`);
  for (const { command, says } of tries) {
    const said = await runInImage(image, command, await rights(root)).catch((error: Error) => error.message);
    if (!says.test(said)) faults.push(`${command.join(" ")} says "${said.trim()}"`);
  }
  return faults;
}

async function programsIn(root: string, name: RegExp): Promise<string[]> {
  const folders = ["usr/local/bin", "usr/local/sbin", "usr/bin", "usr/sbin"];
  const names = await Promise.all(folders.map((folder) => readdir(join(root, folder))));
  return names.flat().filter((one) => name.test(one));
}
