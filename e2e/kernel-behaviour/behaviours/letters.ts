import type { Bench, Connection } from "../bench.ts";
import type { Socket } from "../sockets.ts";

/** enum action of programs/letters.bpf.c. */
export const action = { pass: 0, ingress: 1, egress: 2, drop: 3, byLetter: 4, ingressWithEnd: 5 } as const;

/** struct rule of programs/letters.bpf.c. */
export type Rule = {
  target: bigint;
  action: number;
  runs: number;
};

/** What becomes of all that the active end sends (or, if it is a hearer, of what reaches it) from now on. */
export async function setRule(
  bench: Bench,
  { active, passive }: Connection,
  then: number,
  target?: Socket,
): Promise<() => number> {
  const rules = bench.map<{ local: number; remote: number }, Rule>("rules");
  const ends = { local: await active.port(), remote: await passive.port() };
  rules.set(ends, { target: target === undefined ? 0n : await target.cookie(), action: then, runs: 0 });
  return () => rules.get(ends)?.runs ?? 0;
}
