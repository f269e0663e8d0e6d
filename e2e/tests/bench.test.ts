import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { kubernetesBenchmark } from "../bench/kubernetes/kubernetes.ts";
import { missingForKernel } from "../world/requirements.ts";
import { workspaceFolder } from "../world/workspace.ts";

const missing = await missingForKernel();

const positive = z.number().positive();
const count = z.int().positive();
const tail = z
  .strictObject({ median: positive, p99: positive })
  .refine(({ median, p99 }) => median <= p99, "half of all took longer than 99 of 100");
const spread = z
  .strictObject({ median: positive, low: positive, high: positive })
  .refine(({ low, median, high }) => low <= median && median <= high, "the median is among the others");

const result = z.strictObject({
  benchmark: z.literal("connect"),
  quick: z.literal(true),
  environment: z.strictObject({
    takenAt: z.iso.datetime(),
    keelson: z.string().min(1),
    commit: z.string().optional(),
    kernel: z.string().min(1),
    architecture: z.string().min(1),
    cpu: z.string().min(1),
    cpus: count,
    memoryBytes: count,
    node: z.literal(process.version),
    congestionControl: z.string().min(1),
    loadBefore: z.number().nonnegative(),
  }),
  latency: z.strictObject({
    services: count,
    rounds: count,
    connectsPerRound: count,
    counted: count,
    latencies: z.array(
      z.strictObject({
        transport: z.enum(["TCP", "UDP"]),
        family: z.enum(["IPv4", "IPv6"]),
        paths: z.array(z.strictObject({ path: z.string(), nanoseconds: tail, ratio: spread })),
      }),
    ),
  }),
  mapRate: z.strictObject({
    entries: count,
    rounds: count,
    keyBytes: count,
    valueBytes: count,
    single: spread,
    batch: spread,
    ratio: spread,
  }),
  updates: z.array(
    z.strictObject({
      services: count,
      change: z.enum(["rule", "endpoints"]),
      changes: count,
      liveMilliseconds: tail,
      ackedMilliseconds: tail,
    }),
  ),
  bringUps: z.array(
    z.strictObject({
      services: count,
      objects: count,
      controlPlaneMilliseconds: positive,
      nodeMilliseconds: positive,
    }),
  ),
});

interface Ended {
  readonly code: number | null;
  readonly output: string;
  readonly progress: string;
}

async function bench(...args: string[]): Promise<Ended> {
  const program = join(workspaceFolder, "e2e/bench/main.ts");
  const child = spawn(process.execPath, [program, ...args, "--world", "benchtest"], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [output, progress] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "close"),
  ]);
  return { code: child.exitCode, output, progress };
}

describe("[kernel] npm run bench -- connect", () => {
  test("prints all figures of one quick run as JSON", { timeout: 300_000 }, async (context) => {
    context.skip(missing.length > 0, `needs ${missing.join("; ")}`);
    const { code, output, progress } = await bench("connect", "--quick", "--json");
    expect(code, progress).toBe(0);
    const { latency, updates, bringUps } = result.parse(JSON.parse(output));

    expect(latency.latencies.map(({ transport, family }) => `${transport} ${family}`)).toEqual([
      "TCP IPv4",
      "TCP IPv6",
      "UDP IPv4",
      "UDP IPv6",
    ]);
    for (const { paths } of latency.latencies) {
      expect(paths.map(({ path }) => path)).toEqual([
        "direct, no programs",
        "direct, programs",
        "service address, programs",
      ]);
      // It is what the others are held against.
      expect(paths[0]?.ratio).toEqual({ median: 1, low: 1, high: 1 });
    }
    // Sizes that take minutes are for whole runs.
    expect(bringUps.map(({ services }) => services)).toEqual([1, 100]);
    expect(bringUps.map(({ objects }) => objects)).toEqual([6, 501]);
    expect(updates.map(({ services, change }) => [services, change])).toEqual([
      [1, "rule"],
      [1, "endpoints"],
      [100, "rule"],
      [100, "endpoints"],
    ]);
    for (const { liveMilliseconds, ackedMilliseconds } of updates)
      expect(ackedMilliseconds.median).toBeGreaterThan(liveMilliseconds.median);
    expect(latency.services).toBe(101);
  });
});

const times = z.array(positive).length(4);

const clusters = z.object({
  benchmark: z.literal("kubernetes"),
  clusters: z.tuple([
    z.strictObject({
      services: z.literal(40),
      podsPerService: z.literal(3),
      readySeconds: positive,
      readyCpuSeconds: positive,
      rssMebibytes: positive,
      peakRssMebibytes: positive,
      byRequestMilliseconds: times,
      byKubectlMilliseconds: times,
      kubectlMilliseconds: times,
    }),
  ]),
});

describe("[kernel] npm run bench -- kubernetes", () => {
  test("follows changes by requests and by kubectl into a node's maps", {
    timeout: 300_000,
  }, async (context) => {
    const lacking = (await kubernetesBenchmark.missing()).join("; ");
    context.skip(lacking !== "", `needs ${lacking}`);
    const { code, output, progress } = await bench("kubernetes", "--quick", "--json");
    expect(code, progress).toBe(0);
    const { rssMebibytes, peakRssMebibytes } = clusters.parse(JSON.parse(output)).clusters[0];
    expect(peakRssMebibytes).toBeGreaterThanOrEqual(rssMebibytes);
  });
});

test("wrong usage says what there is, and measures nothing", async () => {
  const { code, output, progress } = await bench("conect");
  expect([code, output]).toEqual([2, ""]);
  expect(progress).toContain('there is no benchmark "conect", only connect');
});
