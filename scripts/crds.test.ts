import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { crdFiles, crdFolder } from "./crds.ts";

test("the chart's CustomResourceDefinitions are what the schemas say; else run `npm run crds`", () => {
  const wanted = crdFiles();
  expect(readdirSync(crdFolder).sort()).toEqual([...wanted.keys()].sort());
  // A whole definition as a difference would bury the message.
  const stale = [...wanted].filter(([name, text]) => readFileSync(join(crdFolder, name), "utf8") !== text);
  expect(stale.map(([name]) => name)).toEqual([]);
});
