import type { Applier } from "./applier.ts";

/** What programs of a node have counted of requests, since its maps were made. */
export interface Switched {
  readonly taken: number;
  readonly moved: number;
  readonly passedByRule: number;
}

async function switchedOn(applier: Applier): Promise<Switched> {
  const { statistics } = await applier.status();
  const of = (name: string): number => Number(statistics[name] ?? 0);
  return {
    taken: of("switched_requests"),
    moved: of("moved_answers"),
    passedByRule: of("passed_rule"),
  };
}

/** What is counted while `action` runs. */
export async function switchedDuring(applier: Applier, action: () => Promise<void>): Promise<Switched> {
  const before = await switchedOn(applier);
  await action();
  const after = await switchedOn(applier);
  return {
    taken: after.taken - before.taken,
    moved: after.moved - before.moved,
    passedByRule: after.passedByRule - before.passedByRule,
  };
}
