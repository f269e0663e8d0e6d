import { join } from "node:path";
import { workspaceFolder } from "../../world/workspace.ts";
import type { KeelsonOptions } from "../subjects/keelson.ts";
import type { Fault } from "./faults.ts";

/** In the environment of a program that is run with a fault: its name. */
export const faultVariable = "KEELSON_CONFORMANCE_FAULT";

/** Options that start our own server with a fault. */
export const seeded = ({ name }: Fault): KeelsonOptions => ({
  nodeArguments: ["--import", join(import.meta.dirname, "seed.ts")],
  environment: { [faultVariable]: name },
});

/** The built file that a fault is in. */
export const pathOf = ({ file }: Fault): string => join(workspaceFolder, "packages/xds/dist", file);

/**
 * The text of that file with the fault in it.
 * @throws Error unless the line is there, once: a fault that is not seeded would be found by nobody.
 */
export function withFault(source: string, { name, file, line, replacement }: Fault): string {
  const lines = source.split("\n");
  const places = lines.flatMap((text, index) => (text.trim() === line ? [index] : []));
  if (places.length !== 1)
    throw new Error(
      `${file} has the line "${line}" ${places.length} times; the fault "${name}" needs it once`,
    );
  return lines.map((text, index) => (index === places[0] ? replacement : text)).join("\n");
}
