import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { kernelTest } from "../kernel.test-helper.ts";
import {
  featureFindings,
  judgeMissing,
  judgeRefusal,
  neededHelpers,
  neededMaps,
  optionalHelper,
} from "./features.ts";
import { kernelTierFinding } from "./kernel-tier.ts";

const sources = join(import.meta.dirname, "../../../../bpf");

/** All that the sources of the programs hold that every node loads: those that look at requests, or answer a relay that is an Envoy,
 * say themselves what they lack. */
const text = readdirSync(sources, { recursive: true, encoding: "utf8" })
  .filter(
    (name) =>
      /\.[ch]$/.test(name) &&
      !/^(gen|match|switching)\/|^(conversation|observe|place|shortcut)\.h$|^count-try|^dialled\.bpf|^hooks\/requests\.h$/.test(
        name,
      ),
  )
  .map((name) => readFileSync(join(sources, name), "utf8"))
  .join("\n");

const named = (pattern: RegExp): string[] =>
  [...new Set([...text.matchAll(pattern)].map(([, name = ""]) => name))].toSorted();

test("helpers and map types that are looked for are those of the programs", () => {
  const helpers = named(/\b(bpf_[a-z0-9_]+)\(/g).filter((name) => !/^bpf_(hton|ntoh)[ls]$/.test(name));
  expect(helpers).toEqual([...neededHelpers, optionalHelper].toSorted());
  expect(named(/\bBPF_MAP_TYPE_([A-Z_]+)\b/g).map((name) => name.toLowerCase())).toEqual([...neededMaps]);
});

test("what a kernel lacks is named", () => {
  expect(judgeMissing("helpers", 8, ["bpf_one", "bpf_two"])).toMatchObject({
    state: "error",
    found: "missing: bpf_one, bpf_two",
  });
  expect(judgeMissing("helpers", 8, [])).toEqual({
    check: "helpers",
    state: "ok",
    found: "all 8 that are needed",
  });
  expect(judgeRefusal(false)).toMatchObject({ state: "warning" });
});

kernelTest("a kernel that tests run on has all that the connect tier needs", async () => {
  const findings = await featureFindings();
  expect(findings.filter(({ state }) => state === "error")).toEqual([]);
  expect(findings.find(({ check }) => check === "Keelson's programs")?.found).toMatch(/^all 9 load/);
});

kernelTest("a kernel that tests run on has all that programs on callers' sockets need", async () => {
  expect(await kernelTierFinding()).toMatchObject({
    state: "ok",
    found: "load, for --sockets=count, switch and queue",
  });
});
