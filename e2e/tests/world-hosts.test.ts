import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { namespaceEtcFolder } from "../world/names.ts";
import { missingForKernel } from "../world/requirements.ts";
import { World } from "../world/world.ts";

const missing = await missingForKernel();

test("[kernel] services that are made at once are known by name in every pod", async (context) => {
  context.skip(missing.length > 0, `needs ${missing.join("; ")}`);
  const world = await World.open("worldhosts");
  try {
    const pods = await world.addPods({ name: "one" }, { name: "two" }, { name: "three" }, { name: "four" });
    for (let round = 0; round < 30; round++) {
      const names = Array.from({ length: 8 }, (_, i) => `service-${round}-${i}`);
      await Promise.all(names.map((name) => world.addService(name, [])));
      for (const { place } of pods) {
        const hosts = await readFile(join(namespaceEtcFolder, place.namespace, "hosts"), "utf8");
        expect(names.filter((name) => !hosts.includes(`\t${name} `))).toEqual([]);
      }
    }
  } finally {
    await world.close();
  }
});
