import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { exec } from "../../kernels/exec.ts";
import { grpcGoVersion, grpcio } from "../versions.ts";
import { goBuild } from "./go-tool.ts";
import { pip } from "./pip.ts";
import type { Recipe } from "./recipe.ts";

const grpcGoSource = join(import.meta.dirname, "..", "grpc-go");

/** Our own program against grpc-go. */
export const grpcGoRecipe: Recipe = {
  what: "echo client and server on grpc-go",
  version: grpcGoVersion,
  program: "grpc-go",
  inputs: () => readdirSync(grpcGoSource).map((file) => readFileSync(join(grpcGoSource, file), "utf8")),
  install: (folder, say) => goBuild({ package: ".", moduleFolder: grpcGoSource }, folder, say),
};

/** A virtual environment with grpcio; the program is its Python, which runs ours from the source tree. */
export const grpcioRecipe: Recipe = {
  what: "Python with grpcio, for our echo client and server",
  version: grpcio[0].version,
  program: "bin/python",
  inputs: () => grpcio,
  async install(folder, say) {
    await exec("python3", ["-m", "venv", folder]);
    await pip(join(folder, "bin", "python"), "install", grpcio, folder, say);
  },
};
