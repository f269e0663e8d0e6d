// What is run in each guest, part by part.
import { lookUpPeer } from "../peers/peer-cache.ts";
import type { GuestFile } from "./cpio.ts";
import { sharedLibraries } from "./host-tools.ts";
import type { MatrixRun } from "./matrix.ts";

/** In the order in which they run. */
export const partNames = ["scenarios", "torture", "behaviours", "matching"] as const;
export type PartName = (typeof partNames)[number];

export const isPart = (name: string): name is PartName => partNames.some((known) => known === name);

export interface Wanted {
  readonly parts: readonly PartName[];
  /** Texts of which one is in the name of each scenario that is run. */
  readonly only?: readonly string[] | undefined;
}

/** All, if neither parts nor scenarios are named; each once, in their order. */
export function wantedParts({ parts, only }: Wanted): readonly PartName[] {
  const named: readonly PartName[] = only === undefined ? parts : [...parts, "scenarios"];
  return named.length === 0 ? partNames : partNames.filter((name) => named.includes(name));
}

/** By a part of each one's name: for every program that is loaded, and every way down a tier, the scenario that shows it. */
const shortScenarios = [
  "weights of 80 and 20",
  "getpeername shows the address",
  "datagrams are spread",
  "the maps count exactly",
  "weights hold for the requests",
  "a header decides",
  "requests are counted by who answered",
  "a relay that is killed",
  "weights hold for requests of one connection that programs take",
  "a header and a path decide",
  "cheap to verify",
  "where the kernel refuses programs",
  "requests of all sizes",
  "without CAP_PERFMON",
];

/** Emulated: a few hundred requests take as long as a hundred thousand elsewhere. */
const torture = {
  short: ["--requests", "300", "--callers", "8", "--most", String(2 ** 18), "--between", "50"],
  all: ["--requests", "5000", "--callers", "16", "--most", String(2 ** 22), "--between", "500"],
};

/** Per kernel and part; emulated, and scenarios run over both families. */
const timeoutMs = { short: 40 * 60_000, all: 60 * 60_000 };

export type Length = keyof typeof timeoutMs;
export type PartRun = Omit<MatrixRun, "kernels">;

/** What is run for one part. */
export async function runOf(part: PartName, length: Length, only: Wanted["only"]): Promise<PartRun> {
  const files = part === "scenarios" ? await envoyFiles() : [];
  const command = {
    scenarios: [
      "e2e/kernels/scenarios-in-guest.ts",
      ...(files.length === 0 ? [] : ["--envoy", envoyInGuest]),
      ...(only ?? (length === "all" ? [] : shortScenarios)),
    ],
    torture: ["e2e/torture/main.ts", ...torture[length], "--sockets", "switch", "--sockets", "queue"],
    behaviours: ["e2e/kernel-behaviour/main.ts", ...(length === "all" ? [] : ["--short"])],
    matching: ["e2e/matching/main.ts"],
  }[part];
  return { command: ["node", ...command], files, timeoutMs: timeoutMs[length] };
}

const envoyInGuest = "/usr/local/bin/envoy";

/** Nothing, if there is none on this machine. */
async function envoyFiles(): Promise<readonly GuestFile[]> {
  const envoy = await lookUpPeer("envoy");
  if (envoy === undefined) return [];
  return [
    { path: envoyInGuest, from: envoy.program, mode: 0o755 },
    ...(await sharedLibraries([envoy.program])),
  ];
}
