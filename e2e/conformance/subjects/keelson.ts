import { startPilotDiscovery } from "../../peers/pilot-discovery.ts";
import type { ConfigFolder } from "../../world/config-folder.ts";
import type { Subject } from "./subject.ts";

export interface KeelsonOptions {
  /** Of Node, before the program. */
  readonly nodeArguments?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

/** Keelson's own control plane, on a folder of files. */
export async function keelson(config: ConfigFolder, options: KeelsonOptions = {}): Promise<Subject> {
  const pilot = await startPilotDiscovery({ ...options, objects: config });
  return {
    address: `127.0.0.1:${pilot.ports.grpc}`,
    [Symbol.asyncDispose]: () => pilot.stop(),
  };
}
