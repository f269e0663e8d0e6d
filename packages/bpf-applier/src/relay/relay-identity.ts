import { createHash } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { BpfMap } from "bpf-maps-native";
import { codeHash } from "./code-hash.ts";

/** From src/ (tests) and dist/ (users). */
const manifest = join(import.meta.dirname, "../../package.json");
let code: string | undefined;

/** What is ended as a whole with all processes in it: a container, a unit. It is where this process is, and those that it starts. */
const place = (): string =>
  `${readlinkSync("/proc/self/ns/cgroup")} ${readFileSync("/proc/self/cgroup", "utf8")}`;

/**
 * What a relay's process is, as a hash: its program with all that it depends on, its programs in the kernel, how it is started, the
 * maps that it has open, and with what it is ended. A process that is the same may be any agent's.
 *
 * @param pins of maps
 */
export function relayIdentity(flags: readonly string[], pins: readonly string[]): string {
  code ??= codeHash(manifest);
  const maps = pins.map((pin) => {
    using map = BpfMap.openPinned(pin);
    return map.info.id;
  });
  return createHash("sha256")
    .update(JSON.stringify({ code, flags, maps, place: place() }))
    .digest("hex");
}
