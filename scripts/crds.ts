// npm run crds: writes the chart's CustomResourceDefinitions, which are made from the schemas of packages/model.
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { stringify } from "yaml";
import { customResourceDefinitions } from "../packages/model/src/crds/index.ts";

export const crdFolder = fileURLToPath(new URL("../charts/keelson/crds", import.meta.url));

const head = "# Made by `npm run crds` from the schemas in packages/model; changes here are lost.\n";

/** Text of each file, by its name. */
export const crdFiles = (): Map<string, string> =>
  new Map(
    customResourceDefinitions().map((definition) => [
      `${definition.metadata.name}.yaml`,
      head + stringify(definition, { aliasDuplicateObjects: false, lineWidth: 0 }),
    ]),
  );

if (import.meta.main) {
  rmSync(crdFolder, { recursive: true, force: true });
  mkdirSync(crdFolder, { recursive: true });
  for (const [name, text] of crdFiles()) writeFileSync(join(crdFolder, name), text);
}
