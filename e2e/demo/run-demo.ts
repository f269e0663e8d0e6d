import { setTimeout as delay } from "node:timers/promises";
import { missingForKernel } from "../world/requirements.ts";
import { World } from "../world/world.ts";
import type { DemoOptions } from "./arguments.ts";
import { runControlPlaneOnly } from "./control-plane-only.ts";
import { type Interruption, interruption } from "./interruption.ts";
import { mainJob } from "./main-job.ts";
import { bold, dim, say } from "./show.ts";
import { whatToTry } from "./what-to-try.ts";

/** Runs the demo to its end, or until it is interrupted; either way all it made is gone. @returns the exit code. */
export async function runDemo(options: DemoOptions): Promise<number> {
  const interrupted = interruption();
  const missing = await missingForKernel();
  if (missing.length > 0) return runControlPlaneOnly(options, missing, interrupted);
  const { grpcPort, httpPort } = options;
  const world = await World.open(options.world, { grpcPort, httpPort, closeOnSignals: false });
  if (world.removedBefore.length > 0)
    say(dim(`removed what a killed run left behind: ${world.removedBefore.join(", ")}`));
  say(`${bold("Keelson: bookinfo, routed by the kernel")}\n`);
  const job = mainJob(world, options);
  try {
    const first = await Promise.race([job, interrupted]);
    return "reason" in first ? first.exitCode : await conclude(world, first, options, interrupted);
  } finally {
    await world.close();
    // If it was interrupted, it fails as soon as what it works with is gone.
    await job.catch(() => undefined);
    say(dim("removed: namespaces, cgroups, programs and their pins, processes"));
  }
}

async function conclude(
  world: World,
  complaints: readonly string[],
  options: DemoOptions,
  interrupted: Promise<Interruption>,
): Promise<number> {
  for (const complaint of complaints) say(`   wrong: ${complaint}`);
  const exitCode = complaints.length === 0 ? 0 : 1;
  if (options.once) return exitCode;
  say(whatToTry(world, options));
  await Promise.race([interrupted, watchPrograms(world)]);
  return exitCode;
}

/** @throws Error when a program of the demo has ended by itself. */
async function watchPrograms(world: World): Promise<never> {
  for (;;) {
    await world.controlPlane.assertAlive();
    await world.applier().assertAlive();
    await delay(1_000);
  }
}
