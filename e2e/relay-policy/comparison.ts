import type { RequestHead } from "@keelson/bpf-applier/relay-policy";
import { startEnvoy } from "../peers/envoy.ts";
import { freePort } from "../world/free-port.ts";
import type { Case, Question } from "./cases.ts";
import { questionHeader, startEcho } from "./echo.ts";
import { HttpSide } from "./http-side.ts";
import { dialled, meshOf, nameOf } from "./mesh.ts";
import { isWithoutEndpoint, RelaySide } from "./relay-side.ts";
import { differences, isSame, type Seen } from "./seen.ts";
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

/** Draws that lead to every choice there may be. */
const draws = [0, 0.1, 0.24, 0.26, 0.49, 0.51, 0.74, 0.76, 0.99];

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
      : staticBootstrap(meshOf(cases, echo.port), dialled, ports[0] ?? 0);
  const envoy = await startEnvoy({ bootstrap });
  await using whole = await WholeRelay.start(cases, echo);
  const sides = ports.map((port) => new HttpSide(port, echo));
  const sideOf = (number: number): HttpSide => {
    const side = sides[number % sides.length];
    if (side === undefined) throw new Error(`there is no port for case ${number}`);
    return side;
  };
  try {
    const answers = await Promise.all(
      cases.map((one, number) =>
        compareCase(one, number, {
          envoy: sideOf(number),
          policy: new RelaySide(one, number, echo.port),
          whole,
        }),
      ),
    );
    const all = answers.flat();
    return {
      asked: all.length,
      forwarded: all.filter(({ envoy: { echo: text } }) => text !== "").length,
      mirrored: all.filter(({ envoy: { mirrored } }) => mirrored !== "").length,
      different: all.flatMap(({ different }) => different ?? []),
    };
  } finally {
    for (const side of sides) side.close();
    await envoy.stop();
  }
}

interface Compared {
  readonly envoy: Seen;
  /** In words; undefined: they are the same. */
  readonly different: string | undefined;
}

interface Sides {
  readonly envoy: HttpSide;
  /** The policy by itself, which finds what Envoy's choices were. */
  readonly policy: RelaySide;
  /** Has to do the same once these choices are its own. */
  readonly whole: WholeRelay;
}

async function compareCase(one: Case, number: number, sides: Sides): Promise<readonly Compared[]> {
  const compared: Compared[] = [];
  for (const [index, question] of one.questions.entries()) {
    const id = `${number}-${index}`;
    const head = headOf(question, number, id);
    const ways = draws.map((draw) => sides.policy.ask(head, draw));
    const awaitsMirror = ways.some(({ mirrored }) => mirrored !== "");
    const envoy = await sides.envoy.ask(head, id, awaitsMirror);
    const way = ways.findIndex((seen) => isSame(seen, envoy));
    const expected = ways[way];
    if (expected === undefined) {
      compared.push({ envoy, different: describe(one, question, nearest(ways, envoy), envoy) });
      continue;
    }
    const again = { number, head: headOf(question, number, `${id}-whole`), id: `${id}-whole` };
    const whole = await sides.whole.ask({ ...again, draw: draws[way] ?? 0, awaitsMirror });
    const same = isSame(whole, envoy) || mayDiffer(expected, whole, envoy);
    compared.push({ envoy, different: same ? undefined : `whole: ${describe(one, question, whole, envoy)}` });
  }
  return compared;
}

/** Words of its own, and an endpoint that may be any. */
const mayDiffer = (expected: Seen, whole: Seen, envoy: Seen): boolean =>
  (isWithoutEndpoint(envoy) && isWithoutEcho(whole)) ||
  (expected.address === "" && isSame({ ...whole, address: "" }, envoy));

const isWithoutEcho = ({ echo, status }: Seen): boolean => echo === "" && [200, 503].includes(status);

function headOf(
  { method, target, authorityEnd, headers }: Question,
  number: number,
  id: string,
): RequestHead {
  const authority = nameOf(number) + authorityEnd;
  const rawHeaders = ["Host", authority, questionHeader, id, ...headers];
  return { method, path: target, authority, scheme: "http", rawHeaders };
}

/** Of all that may come of a question, what differs least. */
const nearest = (ways: readonly Seen[], envoy: Seen): Seen =>
  ways.reduce((best, one) => (differences(one, envoy).length < differences(best, envoy).length ? one : best));

/** What differs, for what question, under which routes. */
function describe({ routes }: Case, question: Question, relay: Seen, envoy: Seen): string {
  const { method, target, authorityEnd, headers } = question;
  const differs = differences(relay, envoy).flatMap((key) => [
    `  ${key}: relay ${JSON.stringify(relay[key])}`,
    `  ${key}: Envoy ${JSON.stringify(envoy[key])}`,
  ]);
  const asked = [method, target, `…${authorityEnd}`, ...headers].join(" ");
  return [asked, ...differs, ...routes.map((route) => `  ${JSON.stringify(route)}`)].join("\n");
}
