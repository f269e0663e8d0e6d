// npm run e2e -- envoy [options]: real Envoys take generated meshes and Istio's samples, one after the other.
import { randomInt } from "node:crypto";
import { parseArgs } from "node:util";
import { missingPeers } from "../peers/peer-cache.ts";
import { adsVariants } from "../peers/plain-envoy.ts";
import { type AcceptanceOptions, acceptAll, type Fault } from "./acceptance/acceptance.ts";
import { fixtureMeshes, fixturesAreThere } from "./acceptance/fixtures.ts";
import { proxyKinds } from "./acceptance/kinds.ts";
import { generatedMeshes, hardMeshes, type Mesh } from "./acceptance/meshes.ts";
import { seededFaults } from "./acceptance/seeded-faults.ts";

const usage = `usage: npm run e2e -- envoy [options]

Feeds real Envoys of all kinds (${proxyKinds.join(", ")}), in both variants of ADS, generated meshes and Istio's samples,
one after the other, and every tenth also to Envoys that start with it. Fails if any of them refuses a resource, holds
something else than it was sent, or warns of anything; and if resources that are wrong on purpose are not found.

  --meshes N   how many are generated (200)
  --seed N     of the first one; the others follow it (drawn, and printed)
  --help       this text
`;

const freshEvery = 10;
const say = (line: string): void => void process.stdout.write(`${line}\n`);

/** @throws Error for what is no integer from 0. */
function integer(text: string, option: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new Error(`${option}: "${text}" is no integer from 0 to 999999999`);
}

function tell({ mesh, subject, what }: Fault): void {
  say(`${mesh}: ${subject}: ${what}`);
}

/** @returns whether each of the wrong resources was found. */
async function seededFaultsAreFound(): Promise<boolean> {
  let found = true;
  for (const { title, alter, signs } of seededFaults) {
    const options = {
      kinds: ["plain"],
      variants: ["GRPC"],
      freshEvery: 0,
      patienceMs: 5_000,
      alter,
    } as const;
    const faults = await acceptAll(generatedMeshes(1, 1), options);
    const seen = signs.every((sign) => faults.some(({ what }) => sign.test(what)));
    say(`${seen ? "found" : "NOT FOUND"}: ${title}`);
    found &&= seen;
  }
  return found;
}

function* meshesOf(seed: number, count: number): Generator<Mesh> {
  yield* generatedMeshes(seed, count);
  yield* hardMeshes;
  if (fixturesAreThere()) yield* fixtureMeshes();
  else say("Istio's published samples do not stand beside this checkout: they are left out");
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      meshes: { type: "string", default: "200" },
      seed: { type: "string" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help === true) {
    say(usage);
    return 0;
  }
  const count = integer(values.meshes, "--meshes");
  const seed = values.seed === undefined ? randomInt(1_000_000) : integer(values.seed, "--seed");
  const missing = await missingPeers("envoy");
  if (missing !== undefined) throw new Error(`Envoy is ${missing}`);
  const canFail = await seededFaultsAreFound();
  say(`${count} generated meshes from seed ${seed}: to run them again, --seed ${seed} --meshes ${count}`);
  let given = 0;
  const options: AcceptanceOptions = {
    kinds: proxyKinds,
    variants: adsVariants.map(([, variant]) => variant),
    freshEvery,
    onMesh: (_, faults) => {
      given += 1;
      faults.forEach(tell);
      if (given % 20 === 0) say(`${given} meshes`);
    },
  };
  const faults = await acceptAll(meshesOf(seed, count), options);
  const envoys = options.kinds.length * options.variants.length;
  say(`${given} meshes, each given to ${envoys} Envoys: ${faults.length} faults`);
  return canFail && faults.length === 0 && given > 0 ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}
