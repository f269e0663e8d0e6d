import { resolve } from "node:path";

export const workspaceFolder = resolve(import.meta.dirname, "../..");

/** The built programs that a world runs. */
export const controlPlaneProgram = resolve(workspaceFolder, "packages/pilot/dist/main.js");
export const cliProgram = resolve(workspaceFolder, "packages/cli/dist/main.js");
export const applierProgram = resolve(workspaceFolder, "packages/bpf-applier/dist/main.js");
