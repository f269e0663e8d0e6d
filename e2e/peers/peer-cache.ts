import { createHash } from "node:crypto";
import { readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { cacheDirectory } from "../kernels/kernel-cache.ts";
import { type PeerName, recipes } from "./install/recipes.ts";

/** What setup writes beside an installed peer, as peer.json, when all of it is there. */
const peerRecord = z.object({
  /** Of the recipe: another version, build flag or source makes another key. */
  key: z.string(),
  version: z.string(),
  /** How long installing or building took. */
  seconds: z.number(),
});

export type PeerRecord = Readonly<z.infer<typeof peerRecord>>;

/** A peer that can be started. */
export interface Peer extends PeerRecord {
  readonly name: PeerName;
  /** Where all of it lies. */
  readonly folder: string;
  /** The program. */
  readonly program: string;
}

/** Names the recipe's result: peers of one key are the same. */
export function recipeKey(name: PeerName): string {
  const recipe = recipes[name];
  const hash = createHash("sha256").update(JSON.stringify([name, recipe.version, recipe.inputs()]));
  return hash.digest("hex").slice(0, 12);
}

/** Where a peer of this key is, or would be. */
export function peerFolder(name: PeerName, key: string): string {
  return join(cacheDirectory(), "peers", name, `${recipes[name].version}-${key}`);
}

/** The installed peer; undefined if it is not there as this checkout wants it. */
export async function lookUpPeer(name: PeerName): Promise<Peer | undefined> {
  const key = recipeKey(name);
  const folder = peerFolder(name, key);
  const text = await readFile(join(folder, "peer.json"), "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  const record = peerRecord.parse(JSON.parse(text));
  return { ...record, name, folder, program: join(folder, recipes[name].program) };
}

/** @throws Error that names the set-up command if the peer is not there. */
export async function requirePeer(name: PeerName): Promise<Peer> {
  const peer = await lookUpPeer(name);
  if (peer) return peer;
  throw new Error(`${name} ${recipes[name].version} is not set up; run: npm run e2e -- setup ${name}`);
}

/** Why a test that needs these peers has to be skipped, with the command that helps; undefined if they are all there. */
export async function missingPeers(...names: readonly PeerName[]): Promise<string | undefined> {
  const missing: PeerName[] = [];
  for (const name of names) if ((await lookUpPeer(name)) === undefined) missing.push(name);
  return missing.length === 0 ? undefined : `not set up; run: npm run e2e -- setup ${missing.join(" ")}`;
}

/** Makes a peer findable, as the last step of its installation, and removes what other recipes left of it. */
export async function recordPeer(name: PeerName, record: PeerRecord): Promise<void> {
  const folder = peerFolder(name, record.key);
  const file = join(folder, "peer.json");
  await writeFile(`${file}.partial`, `${JSON.stringify(record, null, 2)}\n`);
  await rename(`${file}.partial`, file);
  const all = join(folder, "..");
  for (const other of await readdir(all))
    if (join(all, other) !== folder) await rm(join(all, other), { recursive: true, force: true });
}
