import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { exec } from "../kernels/exec.ts";
import type { ImageName } from "./build-images.ts";
import type { OpenImage } from "./storage.ts";

interface Expectation {
  readonly program: string;
  /** As the image says it; undefined for root. */
  readonly user: string | undefined;
  /** Arguments with which it ends by itself, and what it says then. */
  readonly try: readonly string[];
  readonly says: RegExp;
}

const expectations: Readonly<Record<ImageName, Expectation>> = {
  pilot: {
    program: "/usr/local/bin/pilot-discovery",
    user: "1337:1337",
    try: ["version"],
    says: /\(revision /,
  },
  "bpf-applier": {
    program: "/usr/local/bin/bpf-applier",
    user: undefined,
    try: ["--help"],
    says: /follow the control plane until stopped/,
  },
};

/** What builds programs, and has no place where they only run. */
const builders = /^(cc|gcc|g\+\+|c\+\+|clang|cpp|ld|as|make|npm|pnpm|tsc)(-[0-9].*|\.bfd|\.gold|\.lld)?$/;

/** What is wrong with an image that has been built. */
export async function faultsOf(name: ImageName, { root, config }: OpenImage): Promise<string[]> {
  const { program, user, try: args, says } = expectations[name];
  const faults: string[] = [];
  if (config.Entrypoint?.join(" ") !== program) faults.push(`its entry is ${config.Entrypoint?.join(" ")}`);
  if ((config.User || undefined) !== user) faults.push(`it runs as ${config.User ?? "root"}`);
  const found = await programsIn(root, builders);
  if (found.length > 0) faults.push(`it holds ${found.join(", ")}`);
  const said = await exec("chroot", [`--userspec=${user ?? "0:0"}`, root, program, ...args]).catch(
    (error: Error) => error.message,
  );
  if (!says.test(said)) faults.push(`${program} ${args.join(" ")} says "${said.trim()}"`);
  return faults;
}

async function programsIn(root: string, name: RegExp): Promise<string[]> {
  const folders = ["usr/local/bin", "usr/local/sbin", "usr/bin", "usr/sbin"];
  const names = await Promise.all(folders.map((folder) => readdir(join(root, folder))));
  return names.flat().filter((one) => name.test(one));
}
