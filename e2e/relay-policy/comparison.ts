import type { RequestHead } from "@keelson/bpf-applier/relay-policy";
import { startEnvoy } from "../peers/envoy.ts";
import { freePort } from "../world/free-port.ts";
import type { Case, Question } from "./cases.ts";
import { questionHeader, startEcho } from "./echo.ts";
import { EnvoySide } from "./envoy-side.ts";
import { dialled, meshOf, nameOf } from "./mesh.ts";
import { RelaySide } from "./relay-side.ts";
import { differences, isSame, type Seen } from "./seen.ts";
import { staticBootstrap } from "./static-bootstrap.ts";

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

/** Asks a real Envoy, and the relay's policy, the same questions under the same rules. */
export async function compareWithEnvoy(cases: readonly Case[]): Promise<Comparison> {
  await using echo = await startEcho();
  const port = await freePort();
  const envoy = await startEnvoy({ bootstrap: staticBootstrap(meshOf(cases, echo.port), dialled, port) });
  const side = new EnvoySide(port, echo);
  try {
    const answers = await Promise.all(
      cases.map((one, number) => compareCase(one, number, side, new RelaySide(one, number, echo.port))),
    );
    const all = answers.flat();
    return {
      asked: all.length,
      forwarded: all.filter(({ envoy: { echo: text } }) => text !== "").length,
      mirrored: all.filter(({ envoy: { mirrored } }) => mirrored !== "").length,
      different: all.flatMap(({ different }) => different ?? []),
    };
  } finally {
    side.close();
    await envoy.stop();
  }
}

interface Compared {
  readonly envoy: Seen;
  /** In words; undefined: they are the same. */
  readonly different: string | undefined;
}

async function compareCase(
  one: Case,
  number: number,
  side: EnvoySide,
  relay: RelaySide,
): Promise<readonly Compared[]> {
  const compared: Compared[] = [];
  for (const [index, question] of one.questions.entries()) {
    const id = `${number}-${index}`;
    const head = headOf(question, number, id);
    const ways = draws.map((draw) => relay.ask(head, draw));
    const awaitsMirror = ways.some(({ mirrored }) => mirrored !== "");
    const envoy = await side.ask(head, id, awaitsMirror);
    const same = ways.some((seen) => isSame(seen, envoy));
    compared.push({
      envoy,
      different: same ? undefined : describe(one, question, nearest(ways, envoy), envoy),
    });
  }
  return compared;
}

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
