import { assertShares } from "../scenarios/shares.ts";
import { total } from "../world/tally.ts";
import { until } from "../world/until.ts";
import { type CallerName, type Callers, callerNames, type Running } from "./callers.ts";

const calls = 400;

/** Waits until a caller's calls are spread so. @throws Error with the last of what was seen */
export async function untilSpread(
  callers: Callers,
  caller: CallerName,
  shares: Readonly<Record<string, number>>,
): Promise<void> {
  const isSpread = async (): Promise<boolean> => {
    assertShares(await callers.split(caller, calls), shares);
    return true;
  };
  await until(isSpread, { what: `calls of the ${caller} node to follow the rule`, timeoutMs: 60_000 });
}

export async function untilAllSpread(
  callers: Callers,
  shares: Readonly<Record<string, number>>,
): Promise<void> {
  for (const caller of callerNames) await untilSpread(callers, caller, shares);
}

/** Traffic of some callers that goes on whatever happens. */
export class SteadyTraffic {
  private readonly running: ReadonlyMap<CallerName, Running>;

  constructor(callers: Callers, names: readonly CallerName[]) {
    this.running = new Map(names.map((name) => [name, callers.callUntilStopped(name)]));
  }

  /** @returns "1234 calls of the envoy node" of each @throws Error if one of them failed, or there were none */
  async stop(): Promise<string> {
    const said: string[] = [];
    for (const [name, running] of this.running) {
      const { answers, failures } = await running.stop();
      if (total(failures) > 0)
        throw new Error(
          `the ${name} node: of ${total(answers) + total(failures)} calls failed ${JSON.stringify(failures)}`,
        );
      if (total(answers) === 0) throw new Error(`the ${name} node made no calls`);
      said.push(`${total(answers)} of the ${name} node`);
    }
    return said.join(", ");
  }
}
