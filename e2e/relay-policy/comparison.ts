import { Agent } from "node:http";
import { startEnvoy } from "../peers/envoy.ts";
import { freePort } from "../world/free-port.ts";
import type { Case } from "./cases.ts";
import { startEcho } from "./echo.ts";
import {
  askedOf,
  describe,
  draws,
  expectationOf,
  isMirrored,
  mayDiffer,
  nearest,
  type Place,
  placesOf,
} from "./expectation.ts";
import { HttpSide } from "./http-side.ts";
import { dialled, meshOf } from "./mesh.ts";
import { RelaySide } from "./relay-side.ts";
import { isSame, type Seen } from "./seen.ts";
import { sendByAgent } from "./sender.ts";
import { relayBootstrap, staticBootstrap } from "./static-bootstrap.ts";
import { WholeRelay } from "./whole-relay.ts";

export interface Comparison {
  readonly asked: number;
  /** Questions that reached an endpoint. */
  readonly forwarded: number;
  /** Questions that reached the endpoint of mirrors, too. */
  readonly mirrored: number;
  /** Questions of which relay and Envoy make different things, in words. */
  readonly different: readonly string[];
}

/** What an Envoy is configured as: a sidecar of the mesh, or the relay of a node. */
export type EnvoyRole = "sidecar" | "relay";

/** Asks a real Envoy, the relay's policy and the whole relay the same questions under the same rules. */
export async function compareWithEnvoy(
  cases: readonly Case[],
  role: EnvoyRole = "sidecar",
): Promise<Comparison> {
  await using echo = await startEcho();
  const ports = await Promise.all((role === "relay" ? cases : [0]).map(() => freePort()));
  const bootstrap =
    role === "relay"
      ? relayBootstrap(cases, echo.port, ports)
      : staticBootstrap(meshOf(cases, echo.port), dialled, { port: ports[0] ?? 0 });
  const envoy = await startEnvoy({ bootstrap });
  await using whole = await WholeRelay.start(cases, echo);
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });
  const sides = ports.map((port) => new HttpSide(sendByAgent(agent, port), echo));
  const sideOf = (number: number): HttpSide => {
    const side = sides[number % sides.length];
    if (side === undefined) throw new Error(`there is no port for case ${number}`);
    return side;
  };
  try {
    const answers = await Promise.all(
      cases.map((one, number) =>
        compareCase(placesOf(one, number), {
          envoy: sideOf(number),
          policy: new RelaySide(one, number, echo.port),
          whole,
        }),
      ),
    );
    return comparisonOf(answers.flat());
  } finally {
    agent.destroy();
    await envoy.stop();
  }
}

export const comparisonOf = (all: readonly Compared[]): Comparison => ({
  asked: all.length,
  forwarded: all.filter(({ envoy: { echo } }) => echo !== "").length,
  mirrored: all.filter(({ envoy }) => isMirrored(envoy)).length,
  different: all.flatMap(({ different }) => different ?? []),
});

/** One question's. */
export interface Compared {
  readonly envoy: Seen;
  /** In words; undefined: they are the same. */
  readonly different: string | undefined;
}

interface Sides {
  readonly envoy: HttpSide;
  readonly policy: RelaySide;
  /** Has to do the same once Envoy's choices are its own. */
  readonly whole: WholeRelay;
}

async function compareCase(places: readonly Place[], sides: Sides): Promise<readonly Compared[]> {
  const compared: Compared[] = [];
  for (const place of places) {
    const { envoy, ways, way } = await expectationOf(place, sides);
    const expected = ways[way];
    if (expected === undefined) {
      compared.push({ envoy, different: describe(place, nearest(ways, envoy), envoy) });
      continue;
    }
    const again = askedOf(place, ways.some(isMirrored), "-whole");
    const whole = await sides.whole.ask({ ...again, number: place.number, draw: draws[way] ?? 0 });
    const same = isSame(whole, envoy) || mayDiffer(expected, whole, envoy);
    compared.push({ envoy, different: same ? undefined : `whole: ${describe(place, whole, envoy)}` });
  }
  return compared;
}
