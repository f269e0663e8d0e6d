// npm run e2e -- setup [PEER …]: brings the peers of the end-to-end tests into the cache folder.
import { mkdir, rm } from "node:fs/promises";
import { cacheDirectory } from "../kernels/kernel-cache.ts";
import { duration, elapsed, type Say } from "./install/long-command.ts";
import type { Recipe } from "./install/recipe.ts";
import { isPeerName, type PeerName, peerNames, recipes } from "./install/recipes.ts";
import { withSetupLock } from "./install/setup-lock.ts";
import { formatTable } from "./install/table.ts";
import { lookUpPeer, type Peer, peerFolder, recipeKey, recordPeer } from "./peer-cache.ts";

/** What became of one peer. */
type Outcome = { readonly name: PeerName } & ({ readonly peer: Peer } | { readonly reason: string });

/** Installs the peers that are not there yet, one after the other; one that fails does not keep the others away. */
async function setUpPeers(names: readonly PeerName[], say: Say): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const [index, name] of names.entries()) {
    const prefix = `[${index + 1}/${names.length}] ${name}:`;
    try {
      outcomes.push({ name, peer: await setUpPeer(name, (line) => say(`${prefix} ${line}`)) });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      say(`${prefix} failed: ${reason}`);
      outcomes.push({ name, reason });
    }
  }
  return outcomes;
}

async function setUpPeer(name: PeerName, say: Say): Promise<Peer> {
  const there = await lookUpPeer(name);
  if (there) {
    say(`${there.version} is there`);
    return there;
  }
  const recipe: Recipe = recipes[name];
  const { what, version } = recipe;
  const key = recipeKey(name);
  const folder = peerFolder(name, key);
  say(`installing ${what}, ${version}, into ${folder}`);
  // What an interrupted set-up left; its downloads and compiled packages are elsewhere, and are used again.
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const started = performance.now();
  await recipe.install(folder, say);
  await recordPeer(name, { key, version, seconds: Math.round((performance.now() - started) / 1000) });
  say(`ready after ${elapsed(started)}`);
  const peer = await lookUpPeer(name);
  if (!peer) throw new Error(`it was installed, and yet is not in ${folder}`);
  return peer;
}

function table(outcomes: readonly Outcome[]): string {
  const rows = outcomes.map((outcome) => {
    const { name } = outcome;
    if (!("peer" in outcome)) {
      const reason = outcome.reason.split("\n")[0] ?? "";
      return [name, recipes[name].version, "", `missing: ${reason}`];
    }
    const { version, program, seconds } = outcome.peer;
    return [name, version, program, `ready (installed in ${duration(seconds)})`];
  });
  return formatTable(["peer", "version", "path", "state"], rows);
}

function usage(): string {
  const lines = peerNames.map(
    (name) => `  ${name.padEnd(16)}${recipes[name].what}, ${recipes[name].version}`,
  );
  return `usage: npm run e2e -- setup [PEER …]\n\nWithout a name, all:\n${lines.join("\n")}\n`;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function main(args: readonly string[]): Promise<number> {
  if (args.includes("--help") || args.includes("-h")) {
    print(usage());
    return 0;
  }
  const unknown = args.filter((name) => !isPeerName(name));
  if (unknown.length > 0) {
    process.stderr.write(`there is no peer ${unknown.join(", ")}\n${usage()}`);
    return 2;
  }
  const chosen = peerNames.filter((name) => args.length === 0 || args.includes(name));
  print(`peers go to ${cacheDirectory()}`);
  const outcomes = await withSetupLock(print, () => setUpPeers(chosen, print));
  print(`\n${table(outcomes)}`);
  return outcomes.every((outcome) => "peer" in outcome) ? 0 : 1;
}

if (import.meta.main) process.exitCode = await main(process.argv.slice(2));
