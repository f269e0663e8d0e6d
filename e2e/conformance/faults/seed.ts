// node --import …/seed.ts PROGRAM: runs a program of ours with the fault that the environment names.
import { registerHooks } from "node:module";
import { pathToFileURL } from "node:url";
import { faults } from "./faults.ts";
import { faultVariable, pathOf, withFault } from "./seeded.ts";

const name = process.env[faultVariable];
const fault = faults.find((each) => each.name === name);
if (fault === undefined) throw new Error(`${faultVariable}: there is no fault "${name}"`);
const faulty = pathToFileURL(pathOf(fault)).href;

registerHooks({
  load: (url, context, nextLoad) => {
    const loaded = nextLoad(url, context);
    if (url !== faulty) return loaded;
    const { source } = loaded;
    const text = typeof source === "string" ? source : Buffer.from(source as Uint8Array).toString();
    return { ...loaded, source: withFault(text, fault) };
  },
});
