/** A scenario, and what it is run over if there is more than one. */
export interface ScenarioRun<World> {
  readonly name: string;
  readonly run: (world: World) => Promise<void>;
}

export interface ScenarioRuns<World> {
  /** What the scenarios are of, for the last line. */
  readonly what: string;
  readonly open: () => Promise<World>;
  readonly runs: readonly ScenarioRun<World>[];
}

/**
 * Runs scenarios one after another without a test runner, and says of each whether it holds. One that does not may leave
 * anything behind: others have a new world.
 * @returns how many do not
 */
export async function runScenarios<World extends { close(): Promise<void> }>({
  what,
  open,
  runs,
}: ScenarioRuns<World>): Promise<number> {
  let failed = 0;
  let world = await open();
  try {
    for (const { name, run } of runs) {
      const startedAt = performance.now();
      const seconds = (): string => ((performance.now() - startedAt) / 1000).toFixed(1);
      try {
        await run(world);
        console.log(`ok      ${name} (${seconds()} s)`);
      } catch (error) {
        failed += 1;
        console.log(`FAILED  ${name} (${seconds()} s)`);
        console.log(error instanceof Error ? error.stack : error);
        await world.close();
        world = await open();
      }
    }
  } finally {
    await world.close();
  }
  console.log(`${runs.length - failed} of ${runs.length} scenarios of ${what} hold`);
  return failed;
}
