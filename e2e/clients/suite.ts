import type { ApplierStart } from "../world/applier.ts";
import { until } from "../world/until.ts";
import type { Caller, Outcome } from "./callers/caller.ts";
import { ClientsWorld, type Way, ways } from "./clients-world.ts";
import type { Server } from "./servers/server.ts";
import { steps } from "./steps.ts";

/** One caller against one server on one way. */
export interface Part {
  readonly caller: string;
  readonly server: string;
  readonly way: Way;
  readonly outcomes: readonly Outcome[];
}

/** A caller or server that is not here, and why. */
export interface Absent {
  readonly name: string;
  readonly reason: string;
}

export interface SuiteResult {
  readonly parts: readonly Part[];
  readonly absent: readonly Absent[];
}

async function present<T extends Caller | Server>(
  all: readonly T[],
): Promise<{ here: readonly T[]; absent: Absent[] }> {
  const reasons = await Promise.all(all.map((one) => one.missing()));
  return {
    here: all.filter((_, i) => reasons[i] === undefined),
    absent: all.flatMap(({ name }, i) => (reasons[i] === undefined ? [] : [{ name, reason: reasons[i] }])),
  };
}

/**
 * What a caller does of a server's steps on one way. Of what it did by request, the relay must have counted each; what both ends
 * send on one node goes past TCP where that is asked for, and nowhere else.
 */
export async function runPart(
  clients: ClientsWorld,
  caller: Caller,
  server: Server,
  way: Way,
): Promise<Part> {
  const { place, base } = clients.path(server, way);
  const served = steps.filter((step) => server.serves(step));
  const before = await clients.relayed();
  const shortcutsBefore = await clients.shortcuts();
  const takesShortcuts = clients.sockets === "queue" && way === "by connection";
  const outcomes = await caller.run(place, base, served);
  const done = outcomes.filter(({ cannot }) => cannot === undefined).length;
  let relayed = 0;
  const asItShouldBe = async (): Promise<boolean> => {
    relayed = (await clients.relayed()) - before;
    if ((await clients.shortcuts()) > shortcutsBefore !== takesShortcuts) return false;
    return way === "by request" ? relayed >= done : relayed === 0;
  };
  const part = { caller: caller.name, server: server.name, way };
  // An Envoy tells of requests some time after their answers.
  const isRight = await until(asItShouldBe, { what: "the relay to count requests", timeoutMs: 2_000 }).then(
    () => true,
    () => false,
  );
  if (isRight) return { ...part, outcomes };
  const shortcuts = (await clients.shortcuts()) - shortcutsBefore;
  const trouble = `the relay has counted ${relayed} requests of ${done} steps; ${shortcuts} sends went past TCP`;
  return { ...part, outcomes: [...outcomes, { step: "by the way it should be", trouble }] };
}

/** Every caller does every step with every server, natively first: what fails there is not the mesh's doing. */
export async function runSuite(
  world: string,
  wanted: { readonly callers: readonly Caller[]; readonly servers: readonly Server[] },
  progress: (text: string) => void,
  relay?: ApplierStart,
): Promise<SuiteResult> {
  const callers = await present(wanted.callers);
  const servers = await present(wanted.servers);
  await using clients = await ClientsWorld.open(world, servers.here, relay);
  const parts: Part[] = [];
  for (const way of ways) {
    for (const server of servers.here) {
      for (const caller of callers.here) {
        const part = await runPart(clients, caller, server, way);
        parts.push(part);
        progress(partText(part));
      }
    }
  }
  return { parts, absent: [...callers.absent, ...servers.absent] };
}

/** "curl → Node, natively: 25 steps" and what was wrong with them. */
export function partText({ caller, server, way, outcomes }: Part): string {
  const cannot = outcomes.filter((outcome) => outcome.cannot !== undefined);
  const troubles = outcomes.filter(({ trouble }) => trouble !== undefined);
  const left =
    cannot.length === 0
      ? ""
      : `, ${cannot.map(({ step, cannot: why }) => `not "${step}": ${why}`).join(", ")}`;
  return [
    `${caller} → ${server}, ${way}: ${outcomes.length - cannot.length - troubles.length} steps right${left}`,
    ...troubles.map(({ step, trouble }) => `  WRONG: ${step}: ${trouble}`),
  ].join("\n");
}
