// Loads programs/swap.bpf.c for a cgroup, pins maps, link and versions, says so, and does nothing more until it is killed.
// Usage: node keeper.ts CGROUP FOLDER [unpin]: FOLDER is to be made, on a bpffs; with "unpin" it takes the pins away at the
// first line on its input, and says so.
import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { BpfObject, unpin } from "bpf-maps-native";

async function load(cgroup: string, folder: string): Promise<Disposable[]> {
  const object = await BpfObject.open(join(import.meta.dirname, "build/swap.bpf.o"));
  await object.load();
  const [first, second] = [object.program("first"), object.program("second")];
  const inPlace = object.map("in_place");
  await inPlace.setProgram(new Uint8Array(4), first);
  const speakers = object.map("speakers");
  const attachment = await object.program("speak").attachSockmap(speakers);
  const link = await object.program("place").attachCgroup(cgroup);
  mkdirSync(folder);
  link.pin(join(folder, "link"));
  for (const [name, program] of Object.entries({ first, second })) program.pin(join(folder, name));
  for (const name of ["sockets", "speakers", "addresses", "placement", "callers", "in_place"])
    object.map(name).pin(join(folder, name));
  return [object, first, second, inPlace, speakers, { [Symbol.dispose]: () => attachment.close() }, link];
}

const [cgroup = "", folder = "", how] = process.argv.slice(2);
const kept = await load(cgroup, folder);
process.stdout.write("pinned\n");
process.stdin.once("data", () => {
  if (how === "unpin") for (const name of readdirSync(folder)) unpin(join(folder, name));
  process.stdout.write("done\n");
});
// What is kept must not be collected, and the process must not end.
setInterval(() => kept.length, 3_600_000);
