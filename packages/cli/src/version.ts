import { readFileSync } from "node:fs";
import { z } from "zod";

const manifest = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));

/** The version of this program, as in its package. */
export const programVersion = z.object({ version: z.string() }).parse(manifest).version;
