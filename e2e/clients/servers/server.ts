import { join } from "node:path";
import { goProgram } from "../go-program.ts";
import { missingPrograms } from "../missing-program.ts";
import type { Step } from "../steps.ts";
import { nginxCommand } from "./nginx.ts";

/** A server that real programs use, as it comes. */
export interface Server {
  readonly name: string;
  /** Why it cannot run here; nothing if it can. */
  missing(): Promise<string | undefined>;
  /** Whether it can answer a step. */
  serves(step: Step): boolean;
  /** The program; it listens on all addresses. @param folder for its files */
  command(port: number, folder: string): Promise<[string, ...string[]]>;
}

const programs = join(import.meta.dirname, "programs");
const servesAll = (): boolean => true;

const node: Server = {
  name: "Node",
  missing: () => Promise.resolve(undefined),
  serves: servesAll,
  command: (port) => Promise.resolve([process.execPath, join(programs, "node-server.ts"), String(port)]),
};

const python: Server = {
  name: "Python",
  missing: () => missingPrograms("Debian package python3", "python3"),
  serves: servesAll,
  command: (port) => Promise.resolve(["python3", join(programs, "server.py"), String(port)]),
};

const go: Server = {
  name: "Go",
  missing: () => missingPrograms("go.dev, or Debian package golang", "go"),
  serves: servesAll,
  command: async (port) => [await goProgram(join(programs, "go"), "server"), String(port)],
};

const nginx: Server = {
  name: "nginx",
  missing: () => missingPrograms("Debian package nginx-light", "nginx"),
  serves: ({ computed }) => computed !== true,
  command: nginxCommand,
};

export const servers: readonly Server[] = [nginx, node, python, go];
