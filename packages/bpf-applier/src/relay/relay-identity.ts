import { createHash } from "node:crypto";
import { globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { layoutHash } from "@keelson/bpf";
import { objectPath, switchingObjectPath } from "@keelson/bpf/object";
import { BpfMap } from "bpf-maps-native";

/** Of this package, and of the policy's messages. */
const folders = [
  dirname(import.meta.dirname),
  dirname(fileURLToPath(import.meta.resolve("@keelson/protos/policy"))),
];
let code: string | undefined;

/**
 * What a relay's process is, as a hash: its program and its programs in the kernel, how it is started, and the maps that it has
 * open. A process that is the same may be any agent's.
 *
 * @param pins of maps
 */
export function relayIdentity(flags: readonly string[], pins: readonly string[]): string {
  code ??= hashOfCode();
  const maps = pins.map((pin) => {
    using map = BpfMap.openPinned(pin);
    return map.info.id;
  });
  return createHash("sha256").update(JSON.stringify({ code, flags, maps })).digest("hex");
}

function hashOfCode(): string {
  const hash = createHash("sha256").update(`${process.version} ${layoutHash}`);
  const files = folders.flatMap((cwd) => globSync("**/*.{js,ts}", { cwd }).map((name) => join(cwd, name)));
  for (const file of [...files.sort(), objectPath, switchingObjectPath]) hash.update(readFileSync(file));
  return hash.digest("hex");
}
